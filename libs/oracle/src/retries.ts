import { parseOccurrence, partOf, type RecordedRunEvent } from '@cairn/domain-run';
import { canon, epochMsOf, type StoredEvent } from '@cairn/kernel';
import type { EventOf } from './branch.js';
import { leastPauseMs, policyNamed, type Policy, type RetryRule } from './policies.js';
import { isEnd } from './steps.js';
import type { Report } from './report.js';
import type { Walk } from './walk.js';

/** What the events say of one step occurrence so far. */
interface Tries {
  attempts: number;
  /** Of those, how many have failed: what succeeded, or was let go where a branch began, is no try that a policy has to bear. */
  failing: number;
  /** Of the failed ones, with the queue that it has now: a bucket counts anew for each alternative. */
  ofWay: number;
  /** Canon of input and params that every attempt is given. */
  given: string | undefined;
  attemptId: string;
  firstFailedAt?: string;
  /** The same of the attempts with the queue that it has now. */
  firstOfWayAt?: string;
  /** The last attempt failed, and nothing has begun since; it was the run's failure number `failures`. */
  failed?: EventOf<'StepFailed'>;
  failures?: number;
  decided?: EventOf<'RetryDecided'>;
  /** People were asked in place of the branch that was decided: the run may have no more unasked. */
  overBudget?: true;
  /** What people decided where that was to escalate: what follows, as their verdict says. */
  byPeople?: string;
}

/** I-12 to I-14, I-32, and I-21 for retries: attempts count up, each after a reason that its policy allows, and the last one has an end. */
export class RetryChecks {
  private readonly steps = new Map<string, Tries>();
  private failures = 0;
  private ns = '';
  private readonly report: Report;

  constructor(
    private readonly walk: Walk,
    /** Absent: what policies allow is not checked. */
    private readonly policies: readonly StoredEvent[] | undefined,
    private readonly when: 'live' | 'quiescent',
  ) {
    this.report = walk.report;
  }

  run(): void {
    let ended = false;
    for (const event of this.walk.events()) {
      switch (event.type) {
        case 'BranchOpened':
          ended = false;
          this.changed(event);
          break;
        case 'RunStarted':
          this.ns = event.data.ns;
          break;
        case 'StepStarted':
          this.started(event);
          break;
        case 'StepFailed':
          this.failed(event);
          break;
        case 'RetryDecided':
          this.decided(event);
          break;
        case 'ReviewRequested':
          this.handedOn(event);
          break;
        case 'VerdictApplied':
          this.decidedByPeople(event);
          break;
        case 'StepSkipped':
          this.steps.delete(event.data.step);
          break;
        case 'EffectConfirmed':
        case 'EffectAbsent':
          this.foundOut(event);
          break;
        case 'RunGaveUp':
          this.gaveUp(event);
          break;
        case 'RunCompleted':
          this.nothingLeft(event.revision, 'the run completes');
          break;
        default:
      }
      ended ||= isEnd(event.type);
    }
    const superseded = this.walk.branch.events.at(-1)?.type === 'BranchSuperseded';
    if (this.when === 'quiescent' && !ended && !superseded) this.nobodySilent();
  }

  /** What a failed attempt did is known later: it had succeeded, or its failure is judged anew. What was asked about it is over. */
  private foundOut(event: EventOf<'EffectConfirmed' | 'EffectAbsent'>): void {
    const { step } = event.data;
    const tries = this.steps.get(step);
    if (tries?.failed === undefined || (event.type === 'EffectConfirmed' && event.data.by === 'reply')) return;
    const asked = this.steps.get(partOf(step, 'reconcile'));
    if (asked !== undefined) {
      delete asked.failed;
      delete asked.decided;
    }
    if (event.type === 'EffectConfirmed') delete tries.failed;
    if (event.type === 'EffectConfirmed' || (tries.decided !== undefined && !goesOn.has(tries.decided.data.decision))) delete tries.decided;
  }

  /** Each branch may give its steps something else. What is not carried of a failure is owed nothing there: its step starts anew. */
  private changed({ data: { actor, carried, changes } }: EventOf<'BranchOpened'>): void {
    const byHand = actor.startsWith('policy:') ? [] : changes.map(({ path }) => path.split('/')).filter(([, slice]) => slice === 'steps');
    for (const [step, tries] of this.steps) {
      if (byHand.some(([, , id]) => id === parseOccurrence(step).step)) {
        tries.ofWay = 0; // What a person has changed is tried as an alternative is.
        delete tries.firstOfWayAt;
      }
      tries.given = undefined;
      if (tries.failed === undefined || carried.failures.includes(tries.failed.data.attemptId)) continue;
      delete tries.failed;
      delete tries.decided;
      delete tries.byPeople;
    }
  }

  private started(event: EventOf<'StepStarted'>): void {
    const { step, attempt, attemptId, input, params } = event.data;
    const { revision } = event;
    const before = this.steps.get(step);
    const count = (before?.attempts ?? 0) + 1;
    if (attempt !== count) this.report('I-12', revision, `attempt ${attempt} of ${step} is its attempt number ${count}`);
    const { part } = parseOccurrence(step); // About an effect a person may ask at any time, and about another one of that step.
    const given = part === undefined ? canon([input, params]) : '';
    if (before === undefined) return void this.steps.set(step, { attempts: count, failing: 0, ofWay: 0, given, attemptId });
    if (before.given !== undefined && before.given !== given)
      this.report('I-13', revision, `attempt ${attempt} of ${step} is given another input than the first`);
    const { failed, decided, byPeople } = before;
    const mayGoOn = goesOnBy(byPeople) || (decided !== undefined && goesOn.has(decided.data.decision));
    if (part === undefined && failed !== undefined && !mayGoOn)
      this.report('I-13', revision, `attempt ${attempt} of ${step} begins without a decision to try again`);
    if (decided?.data.notBefore !== undefined && event.at < decided.data.notBefore)
      this.report('I-21', revision, `attempt ${attempt} of ${step} started at ${event.at}, before ${decided.data.notBefore}`);
    const { firstFailedAt, firstOfWayAt } = before;
    const another = decided?.data.decision === 'fallback' || byPeople?.startsWith('fallback') === true;
    this.steps.set(step, {
      attempts: count,
      failing: before.failing,
      ofWay: another ? 0 : before.ofWay,
      given,
      attemptId,
      ...(firstFailedAt === undefined ? {} : { firstFailedAt }),
      ...(firstOfWayAt === undefined || another ? {} : { firstOfWayAt }),
    });
  }

  private failed(event: EventOf<'StepFailed'>): void {
    this.failures += 1;
    const tries = this.steps.get(event.data.step);
    if (tries === undefined) return; // I-10 says so.
    tries.firstFailedAt ??= event.at;
    tries.firstOfWayAt ??= event.at;
    tries.failed = event;
    tries.failures = this.failures;
    tries.failing += 1;
    tries.ofWay += 1;
    delete tries.decided;
    delete tries.byPeople;
    delete tries.overBudget;
  }

  private handedOn({ data: { attemptId, step, why } }: EventOf<'ReviewRequested'>): void {
    const tries = this.steps.get(step);
    if (why === 'budget' && attemptId !== undefined && tries?.failed?.data.attemptId === attemptId) tries.overBudget = true;
  }

  /** Only what was handed to people is decided by them, and what they chose follows (I-13, I-14). */
  private decidedByPeople({ revision, data: { attemptId, step, then } }: EventOf<'VerdictApplied'>): void {
    if (attemptId === undefined) return;
    const tries = this.steps.get(step);
    const isHandedOn = tries?.decided?.data.decision === 'escalate' || tries?.overBudget === true;
    if (tries?.failed?.data.attemptId !== attemptId || !isHandedOn)
      return this.report('I-13', revision, `people decide of attempt ${attemptId} of ${step}, which was not handed to them`);
    if (tries.byPeople !== undefined) this.report('I-13', revision, `people decide twice of attempt ${attemptId} of ${step}`);
    tries.byPeople = then;
    if (/^(branch|fallback|reduce)/.test(then)) this.opens(revision, then, step);
    if (then === 'give_up' && !this.settles(revision, step, 'RunGaveUp'))
      this.report('I-14', revision, `people give up ${step}, and neither the run nor the step is over`);
  }

  private decided(event: EventOf<'RetryDecided'>): void {
    const { step, attemptId, decision, queue, justification } = event.data;
    const { revision } = event;
    const tries = this.steps.get(step);
    if (tries?.failed?.data.attemptId !== attemptId)
      return this.report('I-13', revision, `${decision} is decided of attempt ${attemptId} of ${step}, which has not just failed`);
    if (tries.decided !== undefined) this.report('I-13', revision, `attempt ${attemptId} of ${step} is judged twice`);
    tries.decided = event;
    if (!isText(justification.rule)) this.report('I-13', revision, `${decision} of ${step} names no rule`);
    if (decision === 'retry' || decision === 'retry_modified') this.justified(event, tries);
    if (opensBranch.has(decision)) this.opens(revision, decision, step);
    if (decision === 'escalate' && !isText(queue)) this.report('I-32', revision, `${step} is escalated to nobody`);
    if (decision === 'give_up' && !this.settles(revision, step, 'RunGaveUp'))
      this.report('I-14', revision, `${step} is given up, and neither the run nor the step is over`);
  }

  /** Something changes, so a branch is opened for it in that append, or people are asked whether the run may have one more. */
  private opens(revision: number, decision: string, step: string): void {
    const follows = this.walk
      .appendOf(revision)
      .find(
        (other) => other.revision > revision && (other.type === 'BranchSuperseded' || other.type === 'RunFailed' || isOverBudget(other)),
      );
    if (follows === undefined) this.report('I-14', revision, `${decision} is decided of ${step}, and no branch is opened for it`);
  }

  /** Why another try can succeed, and that the policy which is named allows it. */
  private justified(event: EventOf<'RetryDecided'>, tries: Tries): void {
    const { step, bucket, policy: pin, justification } = event.data;
    const { revision } = event;
    if (!isText(justification.expectedChange)) this.report('I-13', revision, `${step} is tried again and nothing is expected to change`);
    const policy = this.policies === undefined ? undefined : policyNamed(this.policies, this.ns, pin);
    if (policy === undefined) return; // I-33 says if it never existed.
    const rules = policy.retriesOf(bucket, event.data.decision === 'retry' ? true : 'modified');
    if (rules.length === 0) return this.report('I-13', revision, `${pin.name}@${pin.version} tries no failure of ${bucket} again`);
    if (!justification.rule.startsWith(`${pin.name}@${pin.version}#${bucket}`))
      this.report(
        'I-13',
        revision,
        `${step} is tried again by rule ${justification.rule}, which is not ${pin.name}@${pin.version}'s for ${bucket}`,
      );
    if (!rules.some(({ expects }) => expects === justification.expectedChange))
      this.report('I-13', revision, `${bucket} expects another change than ${justification.expectedChange ?? 'none'}`);
    this.withinBounds(event, tries, policy, rules);
    this.notTooSoon(event, tries, rules);
  }

  private withinBounds(
    { at, revision, data }: EventOf<'RetryDecided'>,
    tries: Tries,
    { limits }: Policy,
    rules: readonly RetryRule[],
  ): void {
    const { step, bucket } = data;
    const next = (parseOccurrence(step).part === undefined ? tries.failing : tries.ofWay) + 1;
    const ofWay = tries.ofWay + 1;
    const over = (what: string, is: number, most: number): void => {
      if (is > most) this.report('I-12', revision, `${step} is tried again: ${what} ${is}, at most ${most}`);
    };
    over(`attempt of bucket ${bucket}`, ofWay, Math.max(...rules.map(({ attempts }) => attempts)));
    over('attempt of the step', next, limits.perStep);
    over('failed attempt of the run, should it fail again,', (tries.failures ?? 0) + 1, limits.perRun);
    const begins = epochMsOf(data.notBefore ?? at);
    over('milliseconds since the step first failed', begins - epochMsOf(tries.firstFailedAt ?? at), limits.elapsed);
    over(
      'milliseconds since the step first failed in this way',
      begins - epochMsOf(tries.firstOfWayAt ?? at),
      Math.max(...rules.map((rule) => rule.elapsed ?? limits.elapsed)),
    );
  }

  private notTooSoon({ at, revision, data }: EventOf<'RetryDecided'>, tries: Tries, rules: readonly RetryRule[]): void {
    const { failed } = tries;
    if (failed === undefined) return;
    const least = Math.min(...rules.map((rule) => leastPauseMs(rule, tries.ofWay, failed.at, failed.data.failure)));
    const pause = epochMsOf(data.notBefore ?? at) - epochMsOf(failed.at);
    if (pause < least) this.report('I-13', revision, `${data.step} may be tried again ${pause} ms after its failure, at least ${least}`);
  }

  private gaveUp({ revision, data }: EventOf<'RunGaveUp'>): void {
    const { step, attemptId } = data;
    if (step === undefined || attemptId === undefined) return;
    const { decided, byPeople } = this.steps.get(step) ?? {};
    if (decided?.data.decision !== 'give_up' && byPeople !== 'give_up')
      this.report('I-14', revision, `the run gives up over ${step}, and nobody decided to`);
  }

  /** A run that is complete has no failure that nothing came of. */
  private nothingLeft(revision: number, what: string): void {
    for (const [step, { failed, decided }] of this.steps) {
      if (failed === undefined) continue;
      this.report('I-14', revision, `${what}, and of the failure of ${step} came ${decided?.data.decision ?? 'nothing'}`);
    }
  }

  /** Once everything has had its time, every failure was judged: exhaustion is a decision, never silence (P-6). */
  private nobodySilent(): void {
    for (const [step, { failed, decided }] of this.steps) {
      if (failed !== undefined && decided === undefined)
        this.report('I-14', failed.revision, `nothing was decided about the failure of ${step}`);
    }
  }

  private settles(revision: number, step: string, by: 'RunGaveUp'): boolean {
    return this.walk
      .appendOf(revision)
      .some((other) => other.revision > revision && (other.type === by || other.type === 'StepSkipped') && other.data.step === step);
  }
}

/** After these the step goes on with another attempt. */
const goesOn: ReadonlySet<string> = new Set(['retry', 'retry_modified', 'fallback']);
/** Of people: what follows by their verdict. */
const goesOnBy = (then: string | undefined): boolean => then !== undefined && /^(again|branch|fallback)/.test(then);
const isOverBudget = (event: RecordedRunEvent): boolean => event.type === 'ReviewRequested' && event.data.why === 'budget';
const opensBranch: ReadonlySet<string> = new Set(['retry_modified', 'fallback', 'reduce_scope']);

const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;
