import type { Rejection } from '@cairn/kernel';
import type { BranchPlan } from './branches/request.js';

/** Why the run decider says no. */
export type RunRejection = Rejection<
  | 'run_not_found'
  | 'policy_not_found'
  | 'attempt_not_found'
  | 'attempt_taken'
  | 'run_ended'
  | 'run_exists'
  | 'input_invalid'
  | 'definition_error'
  | 'wait_not_found'
  | 'wait_closed'
  | 'trigger_not_found'
  | 'review_not_found'
  | 'decision_unproven'
  | 'digest_mismatch'
  | 'edits_invalid'
  | 'decision_unsupported'
  | 'clause_broken'
  | 'effect_not_found'
  | 'effect_settled'
  | 'effect_under_way'
  | 'effect_not_confirmed'
  | 'reconcile_undeclared'
  | 'compensate_undeclared'
  | 'run_paused'
  | 'fork_not_found'
  | 'branch_refused'
  | 'head_moved'
  | 'branch_not_found'
  | 'not_a_shadow'
> & {
  /** Of `branch_refused`: what is to be chosen or mended, and how the run stands. */
  readonly plan?: BranchPlan;
  readonly clause?: string;
  readonly expected?: unknown;
  readonly got?: unknown;
};
