import { subjects, type ReviewCommandMessage } from '@cairn/contracts';
import { evolveReview, isOpen, type ReviewState } from '@cairn/domain-review';
import { categoryOf, reviewStream, type Id, type JsonObject } from '@cairn/kernel';
import { ASK_DEADLINE_MS, type Ids } from '@cairn/ports';
import { seededIds, type Pcg32 } from '@cairn/simulated';
import { NS } from './names.js';
import type { Publisher } from './publisher.js';
import type { Answers } from './workload.js';
import type { World } from './world.js';

/** How often somebody looks into the inbox. */
const LOOK_MS = 700;
/** A decision that nobody has answered is looked at again, and given once more where it was lost. */
const PATIENCE_MS = 4_000;
const PEOPLE = ['ana', 'ben', 'cleo', 'dora'];
const SUBJECT_OF_ANOTHER = '0'.repeat(64);

/** What a person has said, and what he was looking at: a decision counts for that and for nothing else. */
export interface Said {
  readonly reviewId: Id;
  readonly subjectDigest: string;
}

/**
 * People who decide what runs ask them: some twice at once, some too late, some by what they saw an hour ago, and two of them at the same
 * moment. Who decides for a run is what its workload says; a review that its workload does not mention is nobody's.
 */
export class Reviewers {
  /** By the id of the command. */
  readonly said = new Map<string, Said>();
  private readonly random: Pcg32;
  private readonly ids: Ids;
  private readonly asked = new Map<Id, number>();
  private under = 0;

  constructor(
    private readonly world: World,
    private readonly publisher: Publisher,
  ) {
    this.random = world.random.fork('reviewers');
    this.ids = seededIds(world.random.fork('reviewers/ids'));
  }

  /** Whether nothing that they shall decide is open, as far as is stored. */
  get isDone(): boolean {
    return this.under === 0 && this.open().length === 0;
  }

  start(): void {
    if (!this.publisher.runs.some(({ workload }) => workload.people !== undefined)) return;
    const look = (): void => {
      for (const [review, answers] of this.open()) this.attend(review, answers);
      this.world.clock.after(LOOK_MS, look);
    };
    this.world.clock.after(LOOK_MS, look);
  }

  private open(): [ReviewState, Answers][] {
    const found: [ReviewState, Answers][] = [];
    const answersOf = new Map(this.publisher.runs.map(({ runId, workload }) => [runId, workload.people]));
    for (const [stream, events] of this.world.store.allStreams()) {
      if (categoryOf(stream) !== 'review') continue;
      const answers = answersOf.get(String(events[0]?.data['run']));
      if (answers === undefined) continue;
      const state = events.reduce<ReviewState | undefined>((before, event) => evolveReview(before, event), undefined);
      if (state !== undefined && isOpen(state)) found.push([state, answers]);
    }
    return found;
  }

  private attend(review: ReviewState, answers: Answers): void {
    const { now } = this.world.scheduler;
    const { reviewId, step, quorum } = review.opened;
    const since = this.asked.get(reviewId);
    if (since !== undefined && now < since + PATIENCE_MS) return;
    this.asked.set(reviewId, now);
    const options = review.opened.options.filter(({ id }) => answers[step]?.includes(id) ?? false);
    if (options.length === 0) return;
    const decide = (who: string, more: Partial<Said> = {}): void => this.decide(review, who, this.random.pick(options), more);
    const [first = 'ana', ...others] = this.random.chance(0.5) ? PEOPLE : PEOPLE.toReversed();
    if (this.random.chance(0.25)) {
      this.world.coverage.note('stale digest');
      decide(others[0] ?? first, { subjectDigest: SUBJECT_OF_ANOTHER });
    }
    decide(first);
    for (const another of others.slice(0, quorum.of - 1)) this.world.clock.after(this.random.below(1_500), () => decide(another));
    if (this.random.chance(0.3)) {
      this.world.coverage.note('decided twice at once');
      decide(first);
    }
    if (this.random.chance(0.3)) decide(others.at(-1) ?? first);
    if (this.random.chance(0.3)) this.world.clock.after(2_000 + this.random.below(6_000), () => decide(first));
  }

  private decide(
    { opened, revision }: ReviewState,
    who: string,
    { id, verdict, then }: ReviewState['opened']['options'][number],
    more: Partial<Said>,
  ): void {
    const { reviewId } = opened;
    const said = { reviewId, subjectDigest: opened.subjectDigest, ...more };
    const commandId = this.ids.next();
    this.said.set(commandId, said);
    const guided = then === 'branch' ? { guidance: 'otherwise' } : {};
    const edited = verdict === 'edit' ? { edits: [{ op: 'replace', path: '/extra', value: 1 }] } : {};
    const data = { subjectDigest: said.subjectDigest, revision, verdict, option: id, reason: 'so', ...guided, ...edited };
    const body: ReviewCommandMessage = { reviewId, by: { id: `user:${who}`, roles: ['reviewer'], groups: [] }, data };
    const subject = subjects.command(NS, 'human-review', 'decide-review');
    this.under += 1;
    this.world.bus
      .ask({ subject, id: commandId, body: body as unknown as JsonObject }, ASK_DEADLINE_MS)
      .then(
        (answer) => this.heard(reviewId, answer),
        () => undefined, // Looked at again when patience is over.
      )
      .finally(() => (this.under -= 1));
  }

  private heard(reviewId: Id, answer: JsonObject): void {
    const { code } = (answer['rejection'] ?? {}) as { readonly code?: string };
    if (code === 'review_closed') this.world.coverage.note('decided too late');
    if (code === 'digest_mismatch') this.world.coverage.note('race of reviewers lost');
    const isWithdrawn =
      this.world.store
        .allStreams()
        .get(reviewStream(reviewId))
        ?.some(({ type }) => type === 'ReviewClosed') ?? false;
    if (answer['applied'] === 'no' || (code === 'review_closed' && isWithdrawn)) this.world.coverage.note('verdict after withdrawal');
  }
}
