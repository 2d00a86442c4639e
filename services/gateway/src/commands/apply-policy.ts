import { HTTP_ACTOR, problemOf, subjects, type ApplyPolicyAnswer, type ApplyPolicyMessage } from '@cairn/contracts';
import { compilePolicy, compilePolicyText } from '@cairn/domain-retry';
import type { JsonObject } from '@cairn/kernel';
import { accepted, type Answer } from '../answer.js';
import { readDocument } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { Refused, refuse } from '../edge/refused.js';
import type { Intake } from './intake.js';

/**
 * `PUT policies/{name}`: a retry policy as JSON or YAML. 201 for a new version, 200 if the newest has the same hash, 422 with everything
 * that is wrong with it. Compiled here to name the faults, and again by retry-policy, which decides.
 */
export async function applyPolicy(intake: Intake, ns: string, name: string, body: RawBody | undefined): Promise<Answer> {
  const read = readDocument(body);
  const compiled = read.kind === 'json' ? compilePolicy(read.document) : compilePolicyText(read.text, 'yaml');
  if (!compiled.ok) return refuse('policy_invalid', 'The policy breaks the rules that are named.', { errors: compiled.errors });
  if (compiled.policy.policy !== name) {
    refuse('policy_invalid', 'The policy bears another name than the path.', {
      errors: [{ pointer: '/policy', rule: 'name_mismatch', says: 'must equal the name in the path' }],
    });
  }
  const message: ApplyPolicyMessage = { actor: HTTP_ACTOR, name, document: compiled.policy as unknown as JsonObject };
  const answer = (await intake.ask(subjects.command(ns, 'retry-policy', 'apply-policy'), message as unknown as JsonObject)) as
    ApplyPolicyAnswer | undefined;
  if (answer === undefined) return accepted({ name, hash: compiled.hash, outcome: 'pending' });
  if (answer.kind === 'rejected') {
    const { code, detail, errors } = answer.rejection;
    throw new Refused(problemOf(code, detail, errors === undefined ? {} : { errors }));
  }
  const { version, hash, revision } = answer;
  return { status: answer.kind === 'applied' ? 201 : 200, body: { name, version, hash, revision } };
}
