import { transact, type TransactOutcome } from '@cairn/application';
import { subjects, type CommandAnswer, type CommandMessage } from '@cairn/contracts';
import type { ApplyEscalation, ApplyVerdict } from '@cairn/domain-run';
import { evolveReview, type Excluded, type ReviewRejection, type ReviewState, type ReviewStreamEvent } from '@cairn/domain-review';
import { closeReview, openReview, passTime } from '@cairn/domain-review/decider';
import {
  instantOf,
  invariant,
  partitionOf,
  reviewStream,
  runStream,
  type Decision,
  type Id,
  type JsonObject,
  type StoredEvent,
} from '@cairn/kernel';
import { ASK_DEADLINE_MS, type Bus, type Clock, type EventStore, type Ids } from '@cairn/ports';
import { dueAtOf, type Unfinished } from '../working-set/reviews.js';
import { excludedSince, openingOf } from './open-review.js';

export interface ReviewingParts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** What became of a decision in the run. */
export type Applied = { readonly kind: 'yes' } | { readonly kind: 'no'; readonly says: string };

type Asked = Pick<Unfinished, 'reviewId' | 'ns' | 'runId' | 'branch' | 'requested'>;

const SERVICE = 'service:human-review';
const ASKED_AGAIN = 'what was asked about has changed since then; the run asks again';

/**
 * Does what a review is owed, from what its two streams say: opens it, brings its outcome and its escalations to the run, and closes it
 * when the run does not ask any more. Each may be done again: the streams know what was done before.
 */
export class Reviewing {
  constructor(private readonly parts: ReviewingParts) {}

  /** Throws faults of the store and the bus. */
  async serve(review: Unfinished): Promise<void> {
    if (!review.opened) await this.open(review);
    if (review.withdrawn !== null) {
      const changed = review.withdrawn === 'subject_changed';
      return this.close(
        review,
        changed ? 'invalidated' : 'withdrawn',
        changed ? ASKED_AGAIN : `the run does not ask any more: ${review.withdrawn}`,
      );
    }
    if (review.outcome !== null) return void (await this.apply(review, review.outcome));
    const due = dueAtOf(review);
    if (due !== undefined && due <= this.parts.clock.now()) await this.passTime(review);
    else if (review.echoed < review.level && review.passedUp !== null) await this.echo(review, review.passedUp);
  }

  /**
   * Asks execution to take what stands at a revision of the review's stream, and says what came of it: by the run's own history, since another
   * question about the same may have been quicker. Throws faults; within `patienceMs` it is then not known.
   */
  async apply(review: Asked, revision: number, patienceMs = ASK_DEADLINE_MS): Promise<Applied> {
    const { reviewId } = review;
    const [decided] = await this.parts.store.read(reviewStream(reviewId), revision, revision);
    invariant(decided !== undefined, `review ${reviewId} has no revision ${revision}`);
    const command: ApplyVerdict = { type: 'ApplyVerdict', data: { reviewId, revision } };
    const answer = await this.ask(review, command, decided.eventId, decided.actor, patienceMs);
    if (answer.kind === 'nothing' && answer.because === 'duplicate') return { kind: 'yes' };
    const fate = await this.fateOf(review);
    if (fate?.type === 'VerdictApplied' && fate.data['decided'] === revision) return { kind: 'yes' };
    const changed = fate?.data['because'] === 'subject_changed';
    const says = changed
      ? String(fate.data['says'] ?? ASKED_AGAIN)
      : answer.kind === 'rejected'
        ? answer.rejection.detail
        : 'it came too late: the run does not ask any more';
    await this.close(review, changed || answer.kind === 'rejected' ? 'invalidated' : 'withdrawn', says);
    return { kind: 'no', says };
  }

  /** How the run's own record of a review ended; on whatever branch it goes on. */
  private async fateOf({ reviewId, runId, branch, requested }: Asked): Promise<StoredEvent | undefined> {
    const seen = new Set<string>();
    for (let [at, from] = [branch, requested]; !seen.has(at);) {
      seen.add(at);
      const events = await this.parts.store.read(runStream(runId, at), from);
      const fate = events.find(
        ({ type, data }) => (type === 'VerdictApplied' || type === 'ReviewWithdrawn') && data['reviewId'] === reviewId,
      );
      const last = events.at(-1);
      if (fate !== undefined || last?.type !== 'BranchSuperseded') return fate;
      [at, from] = [String(last.data['successor']), 0];
    }
    return undefined;
  }

  /** Who may not decide a review either, as its run stands now. Throws `StoreFault`. */
  excludedSince(reviewId: Id): Promise<readonly Excluded[]> {
    return excludedSince(this.parts.store, reviewId);
  }

  /** Decides about a review and appends. Throws `StoreFault`. */
  decide(
    reviewId: Id,
    ns: string,
    by: { readonly actor: string; readonly causationId: string },
    decide: (state: ReviewState | undefined) => Decision<ReviewStreamEvent, ReviewRejection>,
  ): Promise<TransactOutcome<ReviewState | undefined, ReviewRejection>> {
    return transact<ReviewState | undefined, ReviewStreamEvent, ReviewRejection>(this.parts.store, {
      stream: reviewStream(reviewId),
      initial: undefined,
      evolve: evolveReview,
      decide: (state) => (state !== undefined && state.ns !== ns ? decide(undefined) : decide(state)),
      context: { ns, at: instantOf(this.parts.clock.now()), ...by },
    });
  }

  private async open(review: Unfinished): Promise<void> {
    const { data, requestId } = await openingOf(this.parts.store, review);
    await this.decide(review.reviewId, review.ns, { actor: SERVICE, causationId: requestId }, (state) => openReview(state, data));
  }

  private async passTime({ reviewId, ns }: Unfinished): Promise<void> {
    const now = this.parts.clock.now();
    const [opened] = await this.parts.store.read(reviewStream(reviewId), 0, 0);
    invariant(opened !== undefined, `review ${reviewId} is not open`);
    await this.decide(reviewId, ns, { actor: SERVICE, causationId: opened.eventId }, (state) => passTime(state, { now }));
  }

  private async echo(review: Unfinished, revision: number): Promise<void> {
    const { reviewId } = review;
    const [passed] = await this.parts.store.read(reviewStream(reviewId), revision, revision);
    invariant(passed?.type === 'ReviewEscalated', `review ${reviewId} was not passed up at ${revision}`);
    const answer = await this.ask(review, { type: 'ApplyEscalation', data: { reviewId, revision } }, passed.eventId, passed.actor);
    invariant(answer.kind !== 'rejected', `review ${reviewId}: execution refuses the escalation`);
  }

  private async close(
    { reviewId, ns }: Pick<Unfinished, 'reviewId' | 'ns'>,
    because: 'withdrawn' | 'invalidated',
    says: string,
  ): Promise<void> {
    const [opened] = await this.parts.store.read(reviewStream(reviewId), 0, 0);
    const causationId = opened?.eventId ?? reviewId;
    await this.decide(reviewId, ns, { actor: SERVICE, causationId }, (state) => closeReview(state, { because, says }));
  }

  private async ask(
    { ns, runId }: Pick<Unfinished, 'ns' | 'runId'>,
    { type, data }: ApplyVerdict | ApplyEscalation,
    causationId: string,
    actor: string,
    patienceMs = ASK_DEADLINE_MS,
  ): Promise<CommandAnswer> {
    const { bus, ids } = this.parts;
    const id = ids.next();
    const body: CommandMessage = { id, ns, runId, type, actor, causationId, data: data as unknown as JsonObject };
    const subject = subjects.executionCommand(ns, partitionOf(runId), type);
    const answer = await bus.ask({ subject, id, body: body as unknown as JsonObject }, patienceMs);
    return answer as unknown as CommandAnswer;
  }
}
