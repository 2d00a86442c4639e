import type { FieldError, Id } from '@cairn/kernel';

/** Where a problem's type begins; what follows is its code in kebab case. Never fetched, only compared (RFC 9457 §3.1.1). */
export const PROBLEM_TYPE_BASE = 'https://cairn.dev/problems/';

/** An RFC 9457 problem document, the body of every HTTP error. Holds nothing of what was sent. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  /** One sentence. */
  readonly detail: string;
  /** All that is wrong, not the first. */
  readonly errors?: readonly FieldError[];
  /** Path of the receipt or run that this is about. */
  readonly instance?: string;
  readonly clause?: string;
  readonly expected?: unknown;
  readonly got?: unknown;
  readonly receiptId?: Id;
  /** Of a branch that is not opened: what would be kept and run again, and what is to be chosen. */
  readonly plan?: unknown;
}

/** Media type of a problem. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** Every code that HTTP can answer, with its status. A domain's rejection that stands here keeps its code. */
export const problemStatus = {
  invalid_json: 400,
  invalid_body: 400,
  unknown_field: 400,
  invalid_id: 400,
  invalid_name: 400,
  invalid_namespace: 400,
  invalid_query: 400,
  invalid_cursor: 400,
  invalid_header: 400,
  unauthorized: 401,
  origin_refused: 403,
  host_refused: 403,
  forbidden: 403,
  role_missing: 403,
  decider_not_human: 403,
  four_eyes: 403,
  not_candidate: 403,
  route_not_found: 404,
  namespace_not_found: 404,
  workflow_not_found: 404,
  definition_not_found: 404,
  policy_not_found: 404,
  effect_not_found: 404,
  run_not_found: 404,
  step_not_found: 404,
  wait_not_found: 404,
  callback_not_found: 404,
  wait_closed: 409,
  receipt_not_found: 404,
  review_not_found: 404,
  artifact_not_found: 404,
  branch_not_found: 404,
  revision_not_found: 404,
  fork_not_found: 404,
  method_not_allowed: 405,
  run_exists: 409,
  run_ended: 409,
  run_imported: 409,
  head_moved: 409,
  effect_settled: 409,
  effect_under_way: 409,
  effect_not_confirmed: 409,
  run_paused: 409,
  not_a_shadow: 409,
  branch_ended: 409,
  review_closed: 409,
  review_claimed: 409,
  bundle_conflict: 409,
  version_conflict: 409,
  idempotency_conflict: 409,
  body_too_large: 413,
  media_type_unsupported: 415,
  event_invalid: 400,
  input_invalid: 422,
  definition_invalid: 422,
  policy_invalid: 422,
  bundle_invalid: 422,
  definition_error: 422,
  branch_refused: 422,
  reconcile_undeclared: 422,
  compensate_undeclared: 422,
  effect_invalid: 422,
  reschedule_invalid: 422,
  callback_data_invalid: 422,
  digest_mismatch: 422,
  event_refused: 422,
  too_many_streams: 429,
  internal_error: 500,
  stream_corrupt: 500,
  artifact_corrupt: 500,
  service_unavailable: 503,
  overloaded: 503,
} as const satisfies Readonly<Record<string, number>>;

export type ProblemCode = keyof typeof problemStatus;

/** What a rejection of a service becomes when it has no row of its own: understood, and not possible (RFC 9110 §15.5.21). */
const REJECTION_STATUS = 422;

export type ProblemExtras = Partial<Omit<Problem, 'type' | 'title' | 'status' | 'code' | 'detail'>>;

/** Builds a problem; a code that is no row of the table is a service's rejection and answers 422. */
export function problemOf(code: string, detail: string, extras: ProblemExtras = {}): Problem {
  const status = Object.hasOwn(problemStatus, code) ? problemStatus[code as ProblemCode] : REJECTION_STATUS;
  return { type: PROBLEM_TYPE_BASE + code.replaceAll('_', '-'), title: titleOf(code), status, code, detail, ...extras };
}

function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
