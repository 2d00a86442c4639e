import { metricNames } from '@cairn/contracts';
import { epochMsOf, type Id, type Instant } from '@cairn/kernel';
import type { Clock, Metrics } from '@cairn/ports';
import type { Entry } from './session.js';

const MS_PER_S = 1_000;

/** Tells how the desk stands: what waits for somebody to take it, and since when. Told once a sweep: it walks all that is open. */
export class Standing {
  /** Queues that have been told of: one that is empty now is told to be. */
  private readonly told = new Map<string, { readonly ns: string; readonly queue: string }>();

  constructor(
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {}

  tell(entries: Iterable<Entry>): void {
    const now = this.clock.now();
    const oldest = new Map<string, number>();
    const runs = new Set<Id>();
    for (const { phase, task } of entries) {
      runs.add(task.runId);
      if (phase === 'given') continue;
      const name = `${task.ns}/${task.queue}`;
      this.told.set(name, { ns: task.ns, queue: task.queue });
      oldest.set(name, Math.max(oldest.get(name) ?? 0, now - epochMsOf(task.event.time as Instant)));
    }
    for (const [name, { ns, queue }] of this.told) {
      this.metrics.gauge(metricNames.runnableAge, (oldest.get(name) ?? 0) / MS_PER_S, { ns, queue });
      if (!oldest.has(name)) this.told.delete(name);
    }
    this.metrics.gauge(metricNames.branchesOpen, runs.size, { service: 'execution' });
  }
}
