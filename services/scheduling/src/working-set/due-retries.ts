import type { Id, Instant } from '@cairn/kernel';

/** A retry that was decided and whose time has to come. */
export interface DueRetry {
  readonly ns: string;
  readonly runId: Id;
  readonly attemptId: Id;
  /** Event id of the `RetryDecided`. */
  readonly decidedBy: Id;
  readonly notBefore: Instant;
  /** Of the run, with its branch: a step has one retry to come at most, and a later decision says that the earlier one is over. */
  readonly step: string;
}

/** Retries of runs that have not ended, the last of each step. That one has begun leaves no event that reaches this service. */
export class DueRetries {
  private readonly byAttempt = new Map<Id, DueRetry>();
  private readonly byRun = new Map<Id, Map<string, Id>>();
  /** Execution has said that there is nothing to ring for any more. Its word is no history, so it is no part of the fold. */
  private readonly answered = new Set<Id>();

  /** The retry, if it is still to be rung for. */
  get(attemptId: Id): DueRetry | undefined {
    return this.answered.has(attemptId) ? undefined : this.byAttempt.get(attemptId);
  }

  *pending(): Iterable<DueRetry> {
    for (const [attemptId, retry] of this.byAttempt) if (!this.answered.has(attemptId)) yield retry;
  }

  /** Execution's word that it is no business of ours any more. */
  answer(attemptId: Id): void {
    if (this.byAttempt.has(attemptId)) this.answered.add(attemptId);
  }

  add(retry: DueRetry): void {
    let steps = this.byRun.get(retry.runId);
    if (steps === undefined) this.byRun.set(retry.runId, (steps = new Map()));
    const before = steps.get(retry.step);
    if (before !== undefined && before !== retry.attemptId) this.forget(before);
    steps.set(retry.step, retry.attemptId);
    this.byAttempt.set(retry.attemptId, retry);
  }

  endRun(runId: Id): void {
    for (const attemptId of this.byRun.get(runId)?.values() ?? []) this.forget(attemptId);
    this.byRun.delete(runId);
  }

  clear(): void {
    this.byAttempt.clear();
    this.byRun.clear();
    this.answered.clear();
  }

  /** As the history has them. */
  entries(): Iterable<readonly [Id, DueRetry]> {
    return this.byAttempt;
  }

  private forget(attemptId: Id): void {
    this.byAttempt.delete(attemptId);
    this.answered.delete(attemptId);
  }
}
