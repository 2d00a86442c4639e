import {
  checkJson,
  checkShape,
  DOCUMENT_DEPTH_MAX,
  isTextLargerThan,
  Problems,
  readDocument,
  validatorOf,
  type DocumentFormat,
  type Validator,
} from '@cairn/domain-definition';
import { canon, prefixedSha256, sha256Hex, type FieldError, type Json } from '@cairn/kernel';
import { canonicalForm } from './canonical-form.js';
import type { RetryPolicyDocument } from './document.js';
import { POLICY_BYTES_MAX } from './limits.js';
import { lint } from './lint.js';
import { policySchema } from './policy-schema.js';

/** A policy with its canonical bytes and identity, or everything that is wrong with the document, each with pointer, rule and sentence. */
export type CompiledPolicy =
  | { readonly ok: true; readonly policy: RetryPolicyDocument; readonly canonical: string; readonly hash: string }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Made when it is first needed: it costs some milliseconds. */
let validator: Validator | undefined;

/** Compiles a document in any spelling. What it accepts is bounded: no failures, in whatever order, make it retry for ever (C-BOUND). */
export function compilePolicy(document: unknown): CompiledPolicy {
  const problems = new Problems();
  const limits = { depthMax: DOCUMENT_DEPTH_MAX, nodesMax: POLICY_BYTES_MAX / 2 }; // A value and its comma: two bytes.
  if (!checkJson(document, limits, problems)) return refused(problems);
  validator ??= validatorOf(policySchema);
  const shaped = checkShape(document as Json, validator, problems);
  if (shaped === undefined) return refused(problems);

  const policy = canonicalForm(shaped, problems);
  lint(policy, problems);
  const canonical = canon(policy);
  if (isTextLargerThan(canonical, POLICY_BYTES_MAX)) problems.error('', 'too_large', `a policy has at most ${POLICY_BYTES_MAX} bytes`);
  return problems.errors.length > 0 ? refused(problems) : { ok: true, policy, canonical, hash: hashOf(canonical) };
}

/** Compiles a file. Both spellings of one policy give the same bytes. */
export function compilePolicyText(text: string, format: DocumentFormat): CompiledPolicy {
  const problems = new Problems();
  const document = readDocument(text, format, problems);
  return problems.errors.length > 0 ? refused(problems) : compilePolicy(document);
}

/** `sha256:<hex>` of the canonical bytes: the identity that runs and decisions pin. */
export function hashPolicy(policy: RetryPolicyDocument): string {
  return hashOf(canon(policy));
}

const hashOf = (canonical: string): string => prefixedSha256(sha256Hex(canonical));

function refused(problems: Problems): CompiledPolicy {
  return { ok: false, errors: problems.errors };
}
