import type { Id } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';

/** Tells whoever waits for news of a run that its stream grew: long polls and SSE. A hint; they read the store themselves. */
export class Changes {
  private readonly waiting = new Map<Id, Set<() => void>>();

  constructor(private readonly clock: Clock) {}

  /** Called for every event of every run, so it costs one look-up where nobody waits. */
  announce(run: Id): void {
    if (this.waiting.size === 0) return;
    const calls = this.waiting.get(run);
    if (calls === undefined) return;
    this.waiting.delete(run);
    for (const call of calls) call();
  }

  /** Resolves at the run's next event, or after `withinMs`. Begin it before reading, or news may come in between. */
  next(run: Id, withinMs: number): { readonly arrived: Promise<void>; readonly cancel: () => void } {
    const calls = this.waiting.get(run) ?? new Set();
    this.waiting.set(run, calls);
    let settle = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const timer = this.clock.after(withinMs, () => finish());
    const finish = (): void => {
      timer.cancel();
      calls.delete(finish);
      if (calls.size === 0 && this.waiting.get(run) === calls) this.waiting.delete(run);
      settle();
    };
    calls.add(finish);
    return { arrived, cancel: finish };
  }

  /** Lets everybody go: the process drains. */
  releaseAll(): void {
    for (const calls of [...this.waiting.values()]) for (const call of [...calls]) call();
  }
}
