import { evolveReview, isOpen, statusOf, type ReviewState } from '@cairn/domain-review';
import { metricNames } from '@cairn/contracts';
import { categoryOf, epochMsOf, type EpochMs, type Id, type StoredEvent } from '@cairn/kernel';
import type { Metrics } from '@cairn/ports';
import { WorkflowLabels } from '../lifecycle-metrics/workflow-labels.js';

interface Labels {
  readonly ns: string;
  readonly queue: string;
  readonly risk: string;
  readonly why: string;
}

const MS_PER_S = 1_000;
const P95 = 0.95;

/** The reviews that are open, as lists show them. What is decided stands in the history of its run, and under its id. */
export class ReviewRows {
  /** In the order in which they opened. */
  private rows = new Map<Id, ReviewState>();
  /** Queues that are told by name, and every combination of labels that was ever told: it falls back to 0. */
  private readonly queues = new WorkflowLabels();
  private readonly told = new Map<string, Labels>();

  /** Whether an event is one of a review's own stream, and was folded here. */
  apply(event: StoredEvent): boolean {
    if (categoryOf(event.stream) !== 'review') return false;
    const id = String(event.data['reviewId']);
    const known = this.rows.get(id);
    if (known !== undefined && event.revision <= known.revision) return true;
    const state = evolveReview(known, event);
    if (state === undefined) return true; // It is closed already.
    if (isOpen(state)) this.rows.set(id, state);
    else this.rows.delete(id);
    return true;
  }

  get(id: Id): ReviewState | undefined {
    return this.rows.get(id);
  }

  all(): IterableIterator<ReviewState> {
    return this.rows.values();
  }

  /** How many are open, and how old they are: the oldest, and the one that 95 of 100 are younger than. */
  tellGauges(metrics: Metrics, now: EpochMs): void {
    const ages = new Map<string, number[]>();
    for (const { ns, opened, openedAt } of this.rows.values()) {
      const labels = { ns, queue: this.queues.of(opened.queue), risk: opened.risk, why: opened.why };
      const key = JSON.stringify(labels);
      this.told.set(key, labels);
      ages.set(key, [...(ages.get(key) ?? []), Math.max(0, now - epochMsOf(openedAt)) / MS_PER_S]);
    }
    for (const [key, labels] of this.told) {
      const sorted = (ages.get(key) ?? []).sort((a, b) => a - b);
      const { ns, queue, risk, why } = labels;
      metrics.gauge(metricNames.reviewsPending, sorted.length, { ns, queue, risk, why });
      metrics.gauge(metricNames.reviewAge, sorted.at(-1) ?? 0, { ns, queue, risk, why, q: 'max' });
      metrics.gauge(metricNames.reviewAge, sorted[Math.ceil(P95 * sorted.length) - 1] ?? 0, { ns, queue, risk, why, q: 'p95' });
    }
  }

  adopt(anew: ReviewRows): void {
    this.rows = anew.rows;
  }

  *entries(): Iterable<readonly [kind: string, key: string, value: unknown]> {
    for (const [id, state] of this.rows) yield ['review', id, [state.revision, statusOf(state), state.level, state.claimedBy]];
  }
}
