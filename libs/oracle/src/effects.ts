import { partOf } from '@cairn/domain-run';
import type { DataOf, EventOf } from './branch.js';
import { isEnd, isEndOfShadow } from './steps.js';
import type { Report } from './report.js';
import type { Walk } from './walk.js';

/** The newest intent of a key, as the events alone tell it. */
interface Intent {
  readonly suffix: number;
  readonly fingerprint: string;
  readonly guarantee: DataOf<'EffectIntended'>['guarantee'];
  readonly step: string;
  readonly attemptId: string;
  status: 'intended' | 'confirmed' | 'absent' | 'unknown' | 'compensated';
  /** An earlier attempt under this suffix may have done it. */
  inDoubt: boolean;
}

type Told = EventOf<'EffectConfirmed' | 'EffectAbsent' | 'EffectUnknown'>;

/** A step that asks what becomes of an effect, and what follows the answer. */
const ASKS = '/ask';
const CHOSEN = 'effect:';

/** I-15 to I-18 for effects: intended before sent, confirmed once, under one key with one meaning, never again on a guess. */
export class EffectChecks {
  private readonly byKey = new Map<string, Intent>();
  private readonly byAttempt = new Map<string, { readonly key: string; readonly intent: Intent }>();
  /** Step -> key and suffix of its first attempt. */
  private readonly keyOf = new Map<string, { readonly key: string; readonly suffix: number }>();
  private readonly open = new Set<string>();
  private readonly granted = new Set<string>();
  /** Steps that take their confirmed result on this branch, and keys that go out again by choice. */
  private readonly reused = new Set<string>();
  private readonly repeated = new Set<string>();
  /** Keys of which this branch asks people what becomes of them, and the reviews that ask. */
  private readonly undecided = new Set<string>();
  private readonly askedBy = new Map<string, string>();
  /** Only what becomes of effects is told any more. */
  private hasEnded = false;
  private readonly report: Report;

  constructor(
    /** The line of heads: what was done outside is never undone by a fork. */
    private readonly walk: Walk,
  ) {
    this.report = walk.report;
  }

  run(): void {
    for (const event of this.walk.events()) {
      switch (event.type) {
        case 'BranchOpened':
          this.opened(event);
          break;
        case 'ReviewRequested':
          this.asked(event);
          break;
        case 'VerdictApplied':
          this.chosen(event);
          break;
        case 'StepStarted':
          this.started(event);
          break;
        case 'AttemptTaken':
          this.taken(event);
          break;
        case 'EffectIntended':
          this.intended(event);
          break;
        case 'EffectConfirmed':
          this.confirmed(event);
          break;
        case 'EffectAbsent':
        case 'EffectUnknown':
          this.closed(event);
          break;
        case 'EffectCompensated':
          this.compensated(event);
          break;
        case 'StepSucceeded':
        case 'StepFailed':
          this.settled(event);
          break;
        case 'RetryDecided':
          this.judged(event);
          break;
        default:
          if (isEnd(event.type) && !isEndOfShadow(event.type)) this.ended(event.revision, event.type);
      }
    }
  }

  /** What goes on under its ids keeps its key; other steps begin anew, with what was chosen of the effects that are left behind (I-17). */
  private opened({ revision, data: { carried, effectsChoices, shadow } }: EventOf<'BranchOpened'>): void {
    this.hasEnded = false;
    const goesOn = new Set<string>();
    for (const [attemptId, { key, intent }] of this.byAttempt) {
      const isCarried = carried.attempts.includes(attemptId) || carried.failures.includes(attemptId);
      if (isCarried) goesOn.add(intent.step);
      else this.open.delete(attemptId);
      // A shadow leaves nothing behind: the head goes on with it.
      if (!isCarried && !shadow && this.byKey.get(key) === intent && intent.status === 'intended')
        this.report('I-17', revision, `effect ${key} is under way and left behind`);
    }
    for (const step of this.keyOf.keys()) if (!goesOn.has(step)) this.keyOf.delete(step);
    this.reused.clear();
    this.repeated.clear();
    this.undecided.clear();
    for (const [key, choice] of Object.entries(effectsChoices)) {
      const intent = this.byKey.get(key);
      if (intent?.status !== 'confirmed')
        this.report('I-17', revision, `${choice} is chosen for effect ${key}, which is ${intent?.status ?? 'unknown to this run'}`);
      if (choice === 'ask') this.undecided.add(key);
      else this.choose(key, choice);
    }
  }

  private choose(key: string, choice: string): void {
    const step = this.byKey.get(key)?.step;
    if (choice === 'reuse' && step !== undefined) this.reused.add(step);
    if (choice === 'repeat') this.repeated.add(key);
  }

  /** People are asked what becomes of an effect that has happened: what they say is chosen as if the branch had said it. */
  private asked({ data: { reviewId, step, evidence } }: EventOf<'ReviewRequested'>): void {
    const { effect: key } = (evidence[0] ?? {}) as { readonly effect?: string };
    if (key !== undefined && step.endsWith(ASKS) && this.undecided.has(key)) this.askedBy.set(reviewId, key);
  }

  private chosen({ data: { reviewId, then } }: EventOf<'VerdictApplied'>): void {
    const key = this.askedBy.get(reviewId);
    if (key === undefined || !then.startsWith(CHOSEN)) return;
    this.undecided.delete(key);
    this.choose(key, then.slice(CHOSEN.length));
  }

  private started(event: EventOf<'StepStarted'>): void {
    const { step, attemptId, attempt } = event.data;
    this.open.add(attemptId);
    if (!this.keyOf.has(step) || this.has(event.revision, 'EffectIntended', attemptId)) return;
    // Refused by the decider in the same append is the one way for an effect not to go out.
    const isReused = this.reused.has(step) && this.has(event.revision, 'StepSucceeded', attemptId);
    if (!isReused && !this.has(event.revision, 'StepFailed', attemptId))
      this.report('I-15', event.revision, `attempt ${attempt} of effect ${step} goes out without its intent`);
  }

  private taken({ revision, data: { step, attemptId } }: EventOf<'AttemptTaken'>): void {
    if (!this.open.has(attemptId)) this.report('I-17', revision, `${step}: attempt ${attemptId} is granted and is not open`);
    if (this.granted.has(attemptId)) this.report('I-17', revision, `${step}: attempt ${attemptId} is granted twice`);
    this.granted.add(attemptId);
  }

  private intended(event: EventOf<'EffectIntended'>): void {
    const { key, suffix, step, attemptId, fingerprint, guarantee } = event.data;
    const { revision } = event;
    const first = this.keyOf.get(step);
    if (first === undefined) {
      this.keyOf.set(step, { key, suffix });
      if (!this.checkpointed(revision, 'pre_effect', step))
        this.report('I-18', revision, `effect ${step} is intended without a checkpoint before it in the same append`);
    } else if (first.key !== key || first.suffix !== suffix) {
      this.report('I-16', revision, `effect ${step} went out as ${first.key}#${first.suffix} and now as ${key}#${suffix}`);
    }
    if (!this.open.has(attemptId)) this.report('I-15', revision, `effect ${key} is intended for attempt ${attemptId}, which is not open`);
    const before = this.byKey.get(key);
    if (before === undefined) {
      if (suffix !== 0) this.report('I-16', revision, `effect ${key} begins with suffix ${suffix}`);
    } else {
      this.again(event, before);
    }
    const inDoubt = before?.suffix === suffix && (before.inDoubt || before.status === 'unknown');
    const intent: Intent = { suffix, fingerprint, guarantee, step, attemptId, status: 'intended', inDoubt };
    this.byKey.set(key, intent);
    this.byAttempt.set(attemptId, { key, intent });
  }

  /** A key goes out again: with the same meaning, and only where that can do no harm. */
  private again({ revision, data: { key, suffix, step, fingerprint } }: EventOf<'EffectIntended'>, before: Intent): void {
    const same = before.fingerprint === fingerprint;
    if (suffix === before.suffix && !same) this.report('I-16', revision, `effect ${key}#${suffix} has a second meaning`);
    const isRepeated = this.repeated.delete(key) && before.status === 'confirmed' && suffix === before.suffix + 1;
    if (isRepeated) return;
    const isUndone = before.status === 'compensated' && suffix === before.suffix + 1;
    if (before.status === 'compensated' && !isUndone)
      this.report('I-16', revision, `effect ${key} was undone and goes out again under its old suffix ${suffix}`);
    else if (!isUndone && suffix !== before.suffix && (suffix !== before.suffix + 1 || before.status !== 'absent' || same))
      this.report('I-16', revision, `effect ${key} goes from suffix ${before.suffix}, which is ${before.status}, to ${suffix}`);
    if (before.status === 'confirmed') this.report('I-16', revision, `effect ${key} has happened for ${before.step} and goes out again`);
    if (before.status === 'intended')
      this.report('I-17', revision, `effect ${key} goes out again while attempt ${before.attemptId} has it open`);
    if (before.status === 'unknown' && before.step !== step)
      this.report('I-16', revision, `effect ${key} of ${step} goes out, and ${before.step} left it unknown`);
    else if (before.status === 'unknown' && before.guarantee !== 'idempotent')
      this.report('I-17', revision, `effect ${key} goes out again, and it is unknown whether it happened`);
  }

  private confirmed(event: EventOf<'EffectConfirmed'>): void {
    const { revision } = event;
    const { key, suffix, step, attemptId, by } = event.data;
    const intent = this.byKey.get(key);
    if (intent === undefined || intent.suffix !== suffix)
      return this.report('I-15', revision, `effect ${key}#${suffix} is confirmed and was never intended`);
    if (by === 'reply' && this.byAttempt.get(attemptId)?.key !== key)
      this.report('I-15', revision, `effect ${key} is confirmed by a reply to ${attemptId}, which went out without it`);
    else if (intent.status === 'confirmed') this.report('I-15', revision, `effect ${key} is confirmed twice`);
    else if (by === 'reply' && (intent.status !== 'intended' || intent.attemptId !== attemptId))
      this.report(
        'I-17',
        revision,
        `effect ${key} is ${intent.status} and confirmed by a reply to ${attemptId}: what comes late is evidence only`,
      );
    else if (by === 'reply' && !this.has(revision, 'StepSucceeded', attemptId))
      this.report('I-15', revision, `effect ${key} is confirmed by a reply that did not succeed`);
    else if (by !== 'reply' && intent.status !== 'unknown')
      this.report('I-17', revision, `effect ${key} is ${intent.status}, and found out about by ${by}`);
    else if (by === 'reconcile' && this.answerOf(revision, step, 'reconcile')?.['found'] !== true)
      this.report('I-17', revision, `effect ${key} is confirmed by a reconciliation that did not find it`);
    else if (by === 'person' && !this.walk.begins(revision))
      this.report('I-17', revision, `effect ${key} is confirmed by a person in the append of something else`);
    if (!this.hasEnded && !this.checkpointed(revision, 'post_effect', step))
      this.report('I-18', revision, `effect ${step} is confirmed without a checkpoint after it in the same append`);
    intent.status = 'confirmed';
  }

  private closed({ type, revision, data: { key, suffix, attemptId } }: Exclude<Told, { type: 'EffectConfirmed' }>): void {
    const intent = this.byKey.get(key);
    if (intent?.status === 'unknown' && intent.suffix === suffix && intent.attemptId === attemptId)
      return this.foundOut(type, revision, key, intent);
    if (intent?.suffix !== suffix || intent.attemptId !== attemptId || intent.status !== 'intended')
      return this.report('I-15', revision, `${type} of ${key}#${suffix}, which attempt ${attemptId} has not open`);
    intent.status = type === 'EffectAbsent' ? 'absent' : 'unknown';
  }

  /** Nobody knew, and now somebody says: by a reconciliation, or by a person alone (I-17). */
  private foundOut(type: string, revision: number, key: string, intent: Intent): void {
    const answer = this.answerOf(revision, intent.step, 'reconcile');
    const isRight = type === 'EffectAbsent' ? answer?.['found'] === false || this.walk.begins(revision) : answer?.['found'] === null;
    if (!isRight) this.report('I-17', revision, `${type} of effect ${key}, of which nobody knew, and nobody has found that out`);
    if (type !== 'EffectAbsent') return;
    intent.status = 'absent';
    intent.inDoubt = false;
  }

  private compensated({ revision, data: { key, suffix, step } }: EventOf<'EffectCompensated'>): void {
    const intent = this.byKey.get(key);
    if (intent?.suffix !== suffix || intent.status !== 'confirmed')
      return this.report('I-15', revision, `effect ${key}#${suffix} is compensated, and it is ${intent?.status ?? 'not intended'}`);
    if (this.answerOf(revision, step, 'compensate') === undefined)
      this.report('I-15', revision, `effect ${key} is compensated, and no attempt to do that has succeeded`);
    intent.status = 'compensated';
  }

  /** What the attempt about an effect has answered in this append. */
  private answerOf(revision: number, step: string, part: 'reconcile' | 'compensate'): { readonly [field: string]: unknown } | undefined {
    const done = this.walk.appendOf(revision).find((one) => one.type === 'StepSucceeded' && one.data.step === partOf(step, part));
    if (done?.type !== 'StepSucceeded') return undefined;
    const { output } = done.data;
    return typeof output === 'object' && output !== null ? (output as { readonly [field: string]: unknown }) : {};
  }

  /** The attempt is over: what became of its effect is told in the same append, and no better than it is known. */
  private settled(event: EventOf<'StepSucceeded' | 'StepFailed'>): void {
    const { attemptId, step } = event.data;
    this.open.delete(attemptId);
    const intent = this.byAttempt.get(attemptId)?.intent;
    if (intent === undefined) return;
    const known = this.tellsOf(event.revision, attemptId);
    const replied = event.type === 'StepSucceeded' || isReply(event.data.failure.by);
    const granted = this.granted.has(attemptId);
    if (replied && intent.guarantee !== 'idempotent' && !granted)
      this.report('I-17', event.revision, `attempt ${attemptId} of ${step} was answered and never granted`);
    if (event.type === 'StepSucceeded') {
      if (known !== 'EffectConfirmed') this.report('I-15', event.revision, `${step} succeeds and its effect is not confirmed with it`);
      return;
    }
    // `none` speaks for this attempt: what an earlier one left in doubt is in doubt still.
    const certainlyNot =
      !intent.inDoubt && event.data.failure.sideEffect === 'none' && (replied || (intent.guarantee !== 'idempotent' && !granted));
    const right = certainlyNot ? 'EffectAbsent' : 'EffectUnknown';
    if (known !== right)
      this.report('I-17', event.revision, `attempt ${attemptId} of effect ${step} failed with ${known ?? 'nothing'} told, not ${right}`);
  }

  private judged({ revision, data: { step, attemptId, decision } }: EventOf<'RetryDecided'>): void {
    const intent = this.byAttempt.get(attemptId)?.intent;
    if (decision === 'retry' && intent?.status === 'unknown' && intent.guarantee !== 'idempotent')
      this.report('I-17', revision, `${step} is to be tried again, and it is unknown whether its effect happened`);
  }

  private ended(revision: number, by: string): void {
    this.hasEnded = true;
    for (const [key, { status }] of this.byKey)
      if (status === 'intended') this.report('I-17', revision, `${by} leaves effect ${key} open: nobody knows whether it happened`);
    this.open.clear();
  }

  private checkpointed(revision: number, kind: 'pre_effect' | 'post_effect', step: string): boolean {
    return this.walk
      .appendOf(revision)
      .some(
        (other) =>
          other.type === 'CheckpointReached' &&
          other.data.kind === kind &&
          other.data.step === step &&
          (kind === 'pre_effect' ? other.revision < revision : other.revision > revision),
      );
  }

  /** Whether the append holds an event of this type for the attempt. */
  private has(revision: number, type: 'EffectIntended' | 'StepSucceeded' | 'StepFailed', attemptId: string): boolean {
    return this.walk.appendOf(revision).some((other) => other.type === type && other.data.attemptId === attemptId);
  }

  /** What the rest of the append says of the attempt's effect. */
  private tellsOf(revision: number, attemptId: string): Told['type'] | undefined {
    const told = this.walk
      .appendOf(revision)
      .find((other): other is Told => other.revision > revision && isTold(other.type) && (other as Told).data.attemptId === attemptId);
    return told?.type;
  }
}

const isTold = (type: string): boolean => type === 'EffectConfirmed' || type === 'EffectAbsent' || type === 'EffectUnknown';

/** A failure that a reply brought, even if the decider found it wanting: else nobody answered. */
const isReply = (by: string): boolean => by === 'handler' || by === 'decider';
