import type { Evidence } from '@cairn/domain-definition';
import type { Instant, JsonObject } from '@cairn/kernel';
import type { Work } from './changed-work.js';
import type { JudgedFailure } from './normalise/failure.js';
import type { WaysOn } from './ways-on.js';

/** A failed attempt and what the history up to its failure says. Nothing that came later: a judgement made again is equal. */
export interface FailedAttempt {
  readonly failure: JudgedFailure;
  /** Number of the attempt that failed, from 1, over all branches of the run and all alternatives of the step. */
  readonly attempt: number;
  /** Event id and time of its `StepFailed`: the pause counts from then. */
  readonly failedEventId: string;
  readonly failedAt: Instant;
  /** When the step failed first. */
  readonly firstFailedAt: Instant;
  /** The same since the step took the alternative by which it works; absent: it took none. */
  readonly since?: { readonly attempt: number; readonly firstFailedAt: Instant };
  /** Failed attempts of the run, this one included. */
  readonly failedInRun: number;
  /** `newEvidence` of the decisions about earlier attempts of the step. */
  readonly earlier: readonly Evidence[];
  /** Of an effect: what may follow an unknown outcome. */
  readonly guarantee?: 'none' | 'reconcile' | 'idempotent';
  /** An earlier attempt may have changed the world outside, and nobody has found out since. */
  readonly inDoubt?: boolean;
  /** What the run has cost. Needed where the policy has a limit on it. */
  readonly usd?: number;
  /** What is left to do instead of the step. Absent: nothing. */
  readonly ways?: WaysOn;
  /** Changes that were judged before and that execution could not make, and why, in words: they are made no more. */
  readonly refused?: readonly { readonly change: JsonObject; readonly says: string }[];
  /** What the attempt was given, and every queue that the step declares. Needed where `changesWork` says so. */
  readonly work?: Work;
  readonly queues?: readonly string[];
}
