import { canon, epochMsOf, reviewStream, type StoredEvent } from '@cairn/kernel';
import { digestOfSubjects, subjectDigestOf, type ReviewSubject } from '@cairn/domain-run';
import type { DataOf, EventOf } from './branch.js';
import { checkLog } from './log.js';
import { isEnd, isEndOfShadow } from './steps.js';
import type { RunHistory } from './history.js';
import type { Report } from './report.js';
import type { Walk } from './walk.js';

/** One asking, as the run's events alone tell it. */
interface Asked {
  readonly data: DataOf<'ReviewRequested'>;
  /** `left`: it was open where the branch grew, and what became of it stands on another one. */
  status: 'open' | 'left' | 'withdrawn' | DataOf<'VerdictApplied'>['verdict'];
  /** What may run now, by step: of an edit the edited subject's digest. */
  readonly approved: Map<string, string>;
  decidedAt: string | null;
  verdict: DataOf<'VerdictApplied'> | null;
  /** Its record is another branch's. */
  readonly carried?: true;
}

/**
 * I-23 to I-27, and I-18 for reviews: what was approved is what runs, what was rejected never starts, one decision by people who may,
 * never by silence; and the run's record and the review's own stream say the same.
 */
export class ReviewChecks {
  private readonly asked = new Map<string, Asked>();
  /** Steps that reviews of this run authorise: what the definition says is not at hand, so that it was asked is. */
  private readonly guardedBy = new Map<string, Set<string>>();
  private definition = '';
  /** Reviews whose approval the branch at hand takes along. */
  private verdicts: readonly string[] | undefined;

  private readonly report: Report;
  /** The branch was left for another, which goes on with what was carried. */
  private superseded = false;
  private last = 0;

  constructor(
    private readonly walk: Walk,
    private readonly history: RunHistory,
    private readonly when: 'live' | 'quiescent',
  ) {
    this.report = walk.report;
  }

  run(): void {
    for (const event of this.walk.events()) {
      this.last = event.revision;
      this.superseded = event.type === 'BranchSuperseded';
      switch (event.type) {
        case 'BranchOpened':
          this.carried(event);
          break;
        case 'RunStarted':
          this.definition = event.data.definition.hash;
          break;
        case 'ReviewRequested':
          this.requested(event);
          break;
        case 'ReviewEscalated':
          this.escalated(event);
          break;
        case 'VerdictApplied':
          this.applied(event);
          break;
        case 'VerdictCarried':
          this.carriedOver(event);
          break;
        case 'ReviewWithdrawn':
          this.withdrawn(event);
          break;
        case 'StepStarted':
          this.started(event);
          break;
        default:
          if (isEnd(event.type) && !isEndOfShadow(event.type)) this.ended(event.revision, event.type);
      }
    }
    if (!this.superseded) for (const [reviewId, asked] of this.asked) this.agrees(reviewId, asked);
  }

  /** What a branch does not carry, it does not ask. */
  private carried({ data: { carried, definition } }: EventOf<'BranchOpened'>): void {
    if (definition !== undefined) this.definition = definition.hash;
    this.verdicts = carried.verdicts;
    for (const [reviewId, asked] of this.asked)
      if (asked.status === 'open' && carried.reviews?.includes(reviewId) !== true) asked.status = 'left';
  }

  private requested(event: EventOf<'ReviewRequested'>): void {
    const { reviewId, step, subjects, subjectDigest } = event.data;
    const { revision } = event;
    if (this.asked.has(reviewId)) this.report('I-25', revision, `review ${reviewId} of ${step} is asked for twice`);
    const checkpointed = this.walk
      .appendOf(revision)
      .some(
        (other) =>
          other.type === 'CheckpointReached' && other.data.kind === 'review' && other.data.step === step && other.revision < revision,
      );
    if (!checkpointed) this.report('I-18', revision, `review ${step} is asked for without a checkpoint before it in the same append`);
    const wrong = subjects.find((subject) => subject.digest !== subjectDigestOf(this.definition, subject));
    if (wrong !== undefined) this.report('I-23', revision, `the digest of ${wrong.step} is not that of what review ${step} shows`);
    if (subjectDigest !== digestOfSubjects(subjects.map(({ digest }) => digest)))
      this.report('I-23', revision, `the digest of review ${step} is not that of its subjects`);
    for (const { step: guarded } of subjects) {
      if (guarded !== step) this.guardedBy.set(guarded, (this.guardedBy.get(guarded) ?? new Set()).add(step));
    }
    this.asked.set(reviewId, { data: event.data, status: 'open', approved: new Map(), decidedAt: null, verdict: null });
  }

  private escalated({ revision, data: { reviewId, step } }: EventOf<'ReviewEscalated'>): void {
    if (this.asked.get(reviewId)?.status !== 'open') this.report('I-26', revision, `review ${step} is passed up and is not open`);
  }

  private applied({ revision, at, data }: EventOf<'VerdictApplied'>): void {
    const { reviewId, step, verdict, then, by, subjectDigest } = data;
    const asked = this.asked.get(reviewId);
    if (asked === undefined) return this.report('I-25', revision, `a verdict about review ${reviewId} of ${step}, which nobody asked for`);
    if (asked.status === 'withdrawn' || asked.status === 'left')
      return this.report('I-26', revision, `a verdict on review ${step} after it was withdrawn`);
    if (asked.status !== 'open') return this.report('I-25', revision, `a second verdict on review ${step}`);
    asked.status = verdict;
    asked.decidedAt = at;
    asked.verdict = data;
    if (verdict === 'expired') {
      if (then !== asked.data.onDeadline)
        this.report('I-26', revision, `${step} expired, and ${then} follows, not ${asked.data.onDeadline}`);
      if (by.length > 0) this.report('I-26', revision, `${step} expired, and ${by.join(', ')} decided`);
      return;
    }
    if (!asked.data.options.some((option) => option.verdict === verdict && option.then === then))
      this.report('I-25', revision, `review ${step} does not offer ${verdict} with ${then}`);
    if (new Set(by).size < asked.data.quorum.of || new Set(by).size !== by.length)
      this.report('I-25', revision, `review ${step} needs ${asked.data.quorum.of} people and was decided by ${by.join(', ') || 'nobody'}`);
    if (verdict !== 'edit' && subjectDigest !== asked.data.subjectDigest)
      this.report('I-23', revision, `the verdict on ${step} is about another subject than was asked about`);
    if ((verdict !== 'approve' && verdict !== 'edit') || then === 'skip') return;
    for (const { step: guarded, digest } of asked.data.subjects) asked.approved.set(guarded, verdict === 'edit' ? subjectDigest : digest);
  }

  /** An approval of another branch, for which the branch was opened: of what was approved there, by whom it was approved there. */
  private carriedOver({ revision, data }: EventOf<'VerdictCarried'>): void {
    const { reviewId, step, verdict, by, subjectDigest, subjects, decidedAt } = data;
    if (this.verdicts?.includes(reviewId) !== true)
      this.report('I-27', revision, `the verdict on ${step} is carried, and nobody asked for that`);
    const elsewhere = [...this.history.branches.values()].flat();
    const asked = elsewhere.find((event) => event.type === 'ReviewRequested' && event.data['reviewId'] === reviewId);
    const applied = elsewhere.find((event) => event.type === 'VerdictApplied' && event.data['reviewId'] === reviewId);
    if (
      asked === undefined ||
      applied === undefined ||
      applied.data['verdict'] !== verdict ||
      canon(applied.data['by'] ?? []) !== canon(by)
    )
      return this.report('I-25', revision, `the verdict on ${step} that is carried is none that was applied`);
    if (applied.data['subjectDigest'] !== subjectDigest)
      this.report('I-23', revision, `the verdict on ${step} is carried for another subject than was approved`);
    const approved = new Map(subjects.map((subject) => [subject.step, subject.digest]));
    for (const guarded of approved.keys())
      if (guarded !== step) this.guardedBy.set(guarded, (this.guardedBy.get(guarded) ?? new Set()).add(step));
    const wanted = asked.data as unknown as DataOf<'ReviewRequested'>;
    this.asked.set(reviewId, { data: wanted, status: verdict, approved, decidedAt, verdict: null, carried: true });
  }

  private withdrawn({ revision, data: { reviewId, step } }: EventOf<'ReviewWithdrawn'>): void {
    const asked = this.asked.get(reviewId);
    if (asked?.status !== 'open') this.report('I-27', revision, `review ${step} is withdrawn and is not open`);
    if (asked !== undefined) asked.status = 'withdrawn';
  }

  /** What starts is what was approved: input, parameters, key and meaning (I-23); what was rejected never starts here (I-24). */
  private started(event: EventOf<'StepStarted'>): void {
    const { step, attempt, attemptId, input, params } = event.data;
    const reviews = this.guardedBy.get(step);
    if (reviews === undefined) return;
    const append = this.walk.appendOf(event.revision);
    // Ended by the decider itself, refused or as the reuse of a confirmed effect: it has not gone out.
    if (append.some((other) => (other.type === 'StepFailed' || other.type === 'StepSucceeded') && other.data.attemptId === attemptId))
      return;
    const intent = append.find((other) => other.type === 'EffectIntended' && other.data.attemptId === attemptId);
    const effect = intent?.type === 'EffectIntended' ? { key: intent.data.key, fingerprint: intent.data.fingerprint } : null;
    const subject: Omit<ReviewSubject, 'digest'> = { step, input, params, effect };
    const digest = subjectDigestOf(this.definition, subject);
    for (const id of reviews) {
      const last = [...this.asked.values()].filter(({ data }) => data.step === id).at(-1);
      if (last === undefined) continue;
      if (last.status === 'reject' || last.status === 'expired')
        this.report('I-24', event.revision, `${step} starts, and review ${id} did not approve it (${last.status})`);
      else if (last.approved.get(step) !== digest)
        this.report('I-23', event.revision, `${step} starts, and review ${id} has approved something else, or nothing`);
      else if (attempt === 1 && last.decidedAt !== null && epochMsOf(event.at) > epochMsOf(last.decidedAt) + last.data.receiptTtl)
        this.report('I-23', event.revision, `${step} starts, and the approval of ${id} is older than it may be`);
    }
  }

  private ended(revision: number, by: string): void {
    for (const { data, status } of this.asked.values())
      if (status === 'open') this.report('I-27', revision, `${by} leaves review ${data.step} open`);
  }

  /** What the review's own stream says of itself and of the run. */
  private agrees(reviewId: string, asked: Asked): void {
    const { reviews } = this.history;
    if (reviews === undefined || asked.carried === true) return;
    const stored = reviews.get(reviewId) ?? [];
    const say = (invariant: 'I-25' | 'I-26' | 'I-27', says: string): void => this.report(invariant, this.last, says);
    if (stored.length === 0) {
      if (this.when === 'quiescent') say('I-27', `review ${reviewId} of ${asked.data.step} has no stream`);
      return;
    }
    checkLog(reviewStream(reviewId), stored, new Set(), this.report);
    const ending = stored.filter(({ type }) => type === 'ReviewDecided' || type === 'ReviewExpired');
    const closed = stored.find(({ type }) => type === 'ReviewClosed');
    if (ending.length > 1) say('I-25', `review ${reviewId} was decided ${ending.length} times`);
    const [decided] = ending;
    this.checkDeciders(stored, decided, say);
    const { verdict } = asked;
    if (verdict !== null) {
      if (decided?.revision !== verdict.decided || !isSame(decided, verdict))
        say('I-25', `the verdict on ${asked.data.step} is not what its stream says at revision ${verdict.decided}`);
      if (closed?.data['notApplied'] !== undefined) say('I-27', `review ${reviewId} says that its decision was not applied, and it was`);
    } else if (this.when === 'quiescent' && asked.status === 'open') {
      if (closed !== undefined || decided !== undefined) say('I-27', `review ${reviewId} is over, and the run still asks`);
    } else if (this.when === 'quiescent' && closed === undefined && (asked.status !== 'left' || decided === undefined)) {
      say('I-27', `the run has withdrawn review ${asked.data.step}, and its stream does not say so`);
    }
  }

  /** By people who were asked, none of whom four eyes exclude (I-25). */
  private checkDeciders(
    stored: readonly StoredEvent[],
    decided: StoredEvent | undefined,
    say: (invariant: 'I-25' | 'I-26' | 'I-27', says: string) => void,
  ): void {
    const excluded = ((stored[0]?.data['excluded'] ?? []) as readonly { readonly who: string; readonly because: string }[]).map(
      ({ who }) => who,
    );
    if (decided?.type !== 'ReviewDecided') return;
    const by = decided.data['by'] as readonly string[];
    const wrong = by.find((who) => excluded.includes(who) || !who.startsWith('user:'));
    if (wrong !== undefined) say('I-25', `${wrong} decided, and may not`);
    const expiredBefore = stored.some(
      ({ type, revision }) => (type === 'ReviewExpired' || type === 'ReviewClosed') && revision < decided.revision,
    );
    if (expiredBefore) say('I-26', 'it was decided after it was over');
  }
}

/** Whether a verdict in the run is the one that was decided. */
function isSame(decided: StoredEvent | undefined, verdict: DataOf<'VerdictApplied'>): boolean {
  if (decided === undefined) return false;
  if (verdict.verdict === 'expired') return decided.type === 'ReviewExpired' && decided.data['then'] === verdict.then;
  const { data } = decided;
  return (
    decided.type === 'ReviewDecided' &&
    data['verdict'] === verdict.verdict &&
    canon(data['by'] ?? []) === canon(verdict.by) &&
    canon(data['edits'] ?? null) === canon((verdict.edits ?? null) as never)
  );
}
