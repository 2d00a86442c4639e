import { HTTP_ACTOR, problemOf, subjects, type ApplyDefinitionAnswer, type ApplyDefinitionMessage } from '@cairn/contracts';
import { compileDefinition, compileDefinitionText } from '@cairn/domain-definition';
import type { JsonObject } from '@cairn/kernel';
import { accepted, type Answer } from '../answer.js';
import { readDocument } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { Refused, refuse } from '../edge/refused.js';
import type { Intake } from './intake.js';

/**
 * `PUT definitions/{name}`: a document as JSON or YAML. 201 for a new version, 200 if that version is stored with the same hash, 409 if
 * with another, 422 with everything that is wrong with it. Compiled here to name the faults, and again by scheduling, which decides.
 */
export async function applyDefinition(intake: Intake, ns: string, name: string, body: RawBody | undefined): Promise<Answer> {
  const read = readDocument(body);
  const compiled = read.kind === 'json' ? compileDefinition(read.document) : compileDefinitionText(read.text, 'yaml');
  if (!compiled.ok) return refuse('definition_invalid', 'The definition breaks the rules that are named.', { errors: compiled.errors });
  if (compiled.definition.name !== name) {
    refuse('definition_invalid', 'The definition bears another name than the path.', {
      errors: [{ pointer: '/name', rule: 'name_mismatch', says: 'must equal the name in the path' }],
    });
  }
  const message: ApplyDefinitionMessage = { actor: HTTP_ACTOR, name, document: compiled.definition as unknown as JsonObject };
  const answer = (await intake.ask(subjects.command(ns, 'scheduling', 'apply-definition'), message as unknown as JsonObject)) as
    ApplyDefinitionAnswer | undefined;
  const summary = { name, version: compiled.definition.version, hash: compiled.hash, warnings: compiled.warnings };
  if (answer === undefined) return accepted({ ...summary, outcome: 'pending' });
  if (answer.kind === 'rejected') {
    const { code, detail, errors } = answer.rejection;
    throw new Refused(problemOf(code, detail, errors === undefined ? {} : { errors }));
  }
  return { status: answer.kind === 'applied' ? 201 : 200, body: { ...summary, revision: answer.revision } };
}
