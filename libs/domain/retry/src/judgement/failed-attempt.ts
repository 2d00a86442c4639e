import type { Evidence } from '@cairn/domain-definition';
import type { Instant } from '@cairn/kernel';
import type { JudgedFailure } from './normalise/failure.js';

/** A failed attempt and what the history up to its failure says. Nothing that came later: a judgement made again is equal. */
export interface FailedAttempt {
  readonly failure: JudgedFailure;
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** Event id and time of its `StepFailed`: the pause counts from then. */
  readonly failedEventId: string;
  readonly failedAt: Instant;
  /** When the step failed first. */
  readonly firstFailedAt: Instant;
  /** Failed attempts of the run, this one included. */
  readonly failedInRun: number;
  /** `newEvidence` of the decisions about earlier attempts of the step. */
  readonly earlier: readonly Evidence[];
  /** Of an effect: what may follow an unknown outcome. */
  readonly guarantee?: 'none' | 'reconcile' | 'idempotent';
  /** What the run has cost. Needed where the policy has a limit on it. */
  readonly usd?: number;
}
