import { PARALLEL_MAX } from '@cairn/application';
import { isFault, type Metrics } from '@cairn/ports';
import type { Id } from '@cairn/kernel';
import type { Undecided } from '../working-set/failures.js';

/** Judges what is rung, each failure once at a time and so many together. What goes wrong is counted: the sweep rings again. */
export class JudgingQueue {
  private readonly waiting = new Map<Id, Undecided>();
  private readonly underWay = new Map<Id, Promise<void>>();

  constructor(
    private readonly judge: (failure: Undecided) => Promise<void>,
    private readonly metrics: Metrics,
  ) {}

  ring(failure: Undecided): void {
    if (this.underWay.has(failure.attemptId)) return;
    this.waiting.set(failure.attemptId, failure);
    this.next();
  }

  /** Begins nothing more that was rung before; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.waiting.clear();
    await Promise.all(this.underWay.values());
  }

  private next(): void {
    for (const [attemptId, failure] of this.waiting) {
      if (this.underWay.size >= PARALLEL_MAX) return;
      this.waiting.delete(attemptId);
      this.underWay.set(attemptId, this.judgeOne(failure));
    }
  }

  private async judgeOne(failure: Undecided): Promise<void> {
    try {
      await this.judge(failure);
    } catch (error) {
      this.metrics.count('cairn_reaction_errors_total', { service: 'retry-policy', kind: isFault(error) ? 'fault' : 'bug' });
    } finally {
      this.underWay.delete(failure.attemptId);
      this.next();
    }
  }
}
