import { canonicalLines, readCanonicalLines, type WorkingSetFold } from '@cairn/application';
import type { ReviewRequested } from '@cairn/domain-run';
import type { ReviewOpened } from '@cairn/domain-review';
import { categoryOf, epochMsOf, parseRunStream, type EpochMs, type Id, type Instant, type Revision, type StoredEvent } from '@cairn/kernel';

/** A review that human-review has not done with. */
export interface Unfinished {
  readonly reviewId: Id;
  readonly ns: string;
  readonly runId: Id;
  readonly branch: string;
  /** Revision of its `ReviewRequested`. */
  readonly requested: Revision;
  readonly deadline: Instant;
  readonly onDeadline: string;
  readonly escalate: readonly { readonly to: string; readonly at: Instant }[];
  /** Its own stream exists. */
  opened: boolean;
  /** Passed up so often, says its stream; and at which revision the last time. */
  level: number;
  passedUp: Revision | null;
  /** The deadline has had its consequence. */
  overdue: boolean;
  /** The run shows this level. */
  echoed: number;
  /** Revision of its decision or expiry. */
  outcome: Revision | null;
  /** The run does not ask any more. */
  withdrawn: string | null;
}

/** `ReviewRequested` without its stream, decisions and escalations without their echo in the run, due times: what human-review must not forget. */
export class Reviews implements WorkingSetFold {
  readonly name = 'human-review';
  readonly foldVersion = 1;
  readonly types = [
    'ReviewRequested',
    'VerdictApplied',
    'ReviewWithdrawn',
    'ReviewOpened',
    'ReviewDecided',
    'ReviewEscalated',
    'ReviewExpired',
    'ReviewClosed',
  ];
  private readonly unfinished = new Map<Id, Unfinished>();

  fold(event: StoredEvent): void {
    const reviewId = String(event.data['reviewId']);
    if (event.type === 'ReviewRequested') return this.requested(event, reviewId);
    if (event.type === 'ReviewOpened') return this.opened(event, reviewId);
    const known = this.unfinished.get(reviewId);
    if (known === undefined) return;
    switch (event.type) {
      case 'VerdictApplied':
      case 'ReviewClosed':
        this.unfinished.delete(reviewId);
        break;
      case 'ReviewWithdrawn':
        known.withdrawn = String(event.data['because']);
        break;
      case 'ReviewDecided':
      case 'ReviewExpired':
        known.outcome = event.revision;
        break;
      case 'ReviewEscalated': {
        const level = Number(event.data['level']);
        if (categoryOf(event.stream) === 'run') known.echoed = Math.max(known.echoed, level);
        else {
          known.level = Math.max(known.level, level);
          known.passedUp = event.revision;
          known.overdue ||= event.data['because'] === 'deadline';
        }
        break;
      }
      default:
        break;
    }
  }

  all(): readonly Unfinished[] {
    return [...this.unfinished.values()];
  }

  get(reviewId: Id): Unfinished | undefined {
    return this.unfinished.get(reviewId);
  }

  reset(): void {
    this.unfinished.clear();
  }

  lines(): readonly string[] {
    return canonicalLines([...this.unfinished].map(([reviewId, one]) => ['review', reviewId, one] as const));
  }

  deserialize(text: string): void {
    this.reset();
    for (const [, reviewId, value] of readCanonicalLines(text)) this.unfinished.set(String(reviewId), { ...(value as Unfinished) });
  }

  fresh(): Reviews {
    return new Reviews();
  }

  private requested(event: StoredEvent, reviewId: Id): void {
    const run = parseRunStream(event.stream);
    if (run === undefined || this.unfinished.has(reviewId)) return;
    const { deadline, onDeadline, escalate } = event.data as unknown as ReviewRequested['data'];
    const { ns } = event.metadata;
    this.put({ reviewId, ns, ...run, requested: event.revision, deadline, onDeadline, escalate, opened: false });
  }

  /** It comes after the request; where a tail lags it may come first. */
  private opened(event: StoredEvent, reviewId: Id): void {
    const known = this.unfinished.get(reviewId);
    if (known !== undefined) {
      known.opened = true;
      return;
    }
    const { run: runId, branch, requested, deadline, onDeadline, escalate } = event.data as unknown as ReviewOpened['data'];
    this.put({ reviewId, ns: event.metadata.ns, runId, branch, requested, deadline, onDeadline, escalate, opened: true });
  }

  private put(
    review: Pick<Unfinished, 'reviewId' | 'ns' | 'runId' | 'branch' | 'requested' | 'deadline' | 'onDeadline' | 'escalate' | 'opened'>,
  ): void {
    const nothingYet = { level: 0, passedUp: null, overdue: false, echoed: 0, outcome: null, withdrawn: null };
    this.unfinished.set(review.reviewId, { ...review, ...nothingYet });
  }
}

/** When a review is next due by itself; `undefined` if nothing is to come. */
export function dueAtOf({ deadline, escalate, level, overdue, outcome, withdrawn }: Unfinished): EpochMs | undefined {
  if (outcome !== null || withdrawn !== null) return undefined;
  const next = escalate[level]?.at;
  const times = [...(next === undefined ? [] : [next]), ...(overdue ? [] : [deadline])].map(epochMsOf);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Whether human-review has something to do for a review now. */
export function isOwed(review: Unfinished, now: EpochMs): boolean {
  const due = dueAtOf(review);
  return (
    !review.opened ||
    review.withdrawn !== null ||
    review.outcome !== null ||
    review.echoed < review.level ||
    (due !== undefined && due <= now)
  );
}
