import type { BranchCause, RunEvent, WaitOpened } from '@cairn/domain-run';
import { metricNames } from '@cairn/contracts';
import type { Id, Instant, Revision, StoredEvent } from '@cairn/kernel';
import { FIRST_BRANCH, type Metrics } from '@cairn/ports';
import { bucketLabel } from './bucket-label.js';
import type { JudgedResume, Resume, ResumeOutcome } from './resume.js';
import { secondsBetween } from './seconds-between.js';

/** What must be remembered of a run between a failure or a resume and what becomes of it. */
interface Course {
  /** Steps whose last attempt failed. */
  readonly failures: Map<string, Failure>;
  /** Resumes whose outcome is open. */
  resumes: OpenResume[];
}

interface Failure {
  readonly at: Instant;
  readonly branch: string;
  bucket: string;
  /** Nobody has decided about it, or a person is to. */
  undecided: boolean;
}

interface OpenResume extends Resume {
  /** Its wait ended while the run was paused: it goes on when the run does. */
  held: boolean;
  /** Set where a deadline may be the run's end, in the append that begins here: then nothing went on. */
  readonly endsWith?: Revision;
}

interface OpenWait {
  readonly kinds: readonly string[];
  readonly restores: string;
  readonly branch: string;
  readonly opened: Revision;
}

/** Failures and what became of them; waits and how their runs went on; branches. Keeps nothing of a run that has ended. */
export class RunCourses {
  private courses = new Map<Id, Course>();
  private waits = new Map<Id, OpenWait>();
  /** What the head of a run was opened for, where it is not the first branch. */
  private causes = new Map<Id, BranchCause>();

  constructor(
    private readonly metrics: Metrics,
    private readonly resumed: (resume: JudgedResume) => void,
  ) {}

  /** Takes each event of a run once, in order. `paused`: as the run is after it. */
  apply(event: StoredEvent & RunEvent, run: Id, ns: string, paused: boolean): void {
    switch (event.type) {
      case 'StepSucceeded':
        this.resolve(event, run, ns);
        break;
      case 'StepFailed':
        this.settle(run, 'failed');
        this.course(run).failures.set(event.data.step, { at: event.at, branch: branchOf(event), bucket: '', undecided: true });
        break;
      case 'RetryDecided':
        this.decide(event, run, ns);
        break;
      case 'VerdictApplied':
        if (event.data.attemptId !== undefined) this.decidedByPeople(event.data.step, event.at, run, ns);
        break;
      case 'StepSkipped':
        this.courses.get(run)?.failures.delete(event.data.step);
        break;
      case 'CheckpointReached':
        if (event.data.kind !== 'recovery') this.settle(run, 'success');
        break;
      case 'WaitOpened':
        this.waits.set(event.data.waitId, openWait(event.data, branchOf(event), event.revision));
        break;
      case 'WaitSatisfied':
        this.resume(event, run, ns, paused);
        break;
      case 'WaitExpired':
        this.resume(event, run, ns, paused);
        break;
      case 'WaitWithdrawn':
        this.waits.delete(event.data.waitId);
        break;
      case 'RunPaused':
        this.settle(run, 'cut');
        break;
      case 'RunUnpaused':
        for (const resume of this.courses.get(run)?.resumes ?? []) resume.held = false;
        break;
      case 'BranchSuperseded':
        this.supersede(event, run, ns);
        break;
      case 'BranchOpened':
        this.metrics.count(metricNames.branchesOpened, { ns, cause: event.data.cause });
        this.causes.set(run, event.data.cause);
        break;
      case 'RunCompleted':
        this.endBranch(run, ns, event.data.outcome);
        this.end(run, 'success');
        break;
      case 'RunCancelled':
        this.endBranch(run, ns, 'cancelled');
        this.end(run, 'cut');
        break;
      case 'RunFailed':
      case 'RunGaveUp':
        this.endBranch(run, ns, event.type === 'RunFailed' ? 'failed' : 'gave_up');
        this.endBadly(run, event.metadata.appendFirst);
        break;
      default:
        break;
    }
  }

  *entries(): Iterable<readonly [kind: string, key: string, value: unknown]> {
    for (const [run, course] of this.courses) yield ['course', run, course];
    for (const [wait, open] of this.waits) yield ['wait to resume', wait, open];
    for (const [run, cause] of this.causes) yield ['cause of the head', run, cause];
  }

  adopt({ courses, waits, causes }: RunCourses): void {
    this.courses = courses;
    this.waits = waits;
    this.causes = causes;
  }

  private course(run: Id): Course {
    let course = this.courses.get(run);
    if (course === undefined) this.courses.set(run, (course = { failures: new Map(), resumes: [] }));
    return course;
  }

  /** A step that failed before has succeeded: its retry resolved the failure just before, if that is of the same branch. */
  private resolve(event: StoredEvent & Extract<RunEvent, { type: 'StepSucceeded' }>, run: Id, ns: string): void {
    const { step } = event.data;
    const failures = this.courses.get(run)?.failures;
    const failure = failures?.get(step);
    if (failures === undefined || failure === undefined) return;
    failures.delete(step);
    if (failure.branch === branchOf(event)) this.metrics.count(metricNames.retryResolved, { ns, bucket: bucketLabel(failure.bucket) });
  }

  /** The run goes on elsewhere. Where a person says so, that one has decided about what failed. */
  private supersede({ at, data }: StoredEvent & Extract<RunEvent, { type: 'BranchSuperseded' }>, run: Id, ns: string): void {
    this.settle(run, 'cut');
    this.endBranch(run, ns, 'superseded');
    if (byPolicy.includes(data.spec.cause)) return;
    for (const failure of this.courses.get(run)?.failures.values() ?? []) {
      if (!failure.undecided) continue;
      failure.undecided = false;
      const [seconds, bucket] = [secondsBetween(failure.at, at), bucketLabel(failure.bucket)];
      this.metrics.observe(metricNames.failureToDecision, seconds, { ns, bucket, decider: 'human' });
    }
  }

  private endBranch(run: Id, ns: string, outcome: string): void {
    const cause = this.causes.get(run);
    if (cause === undefined) return;
    this.causes.delete(run);
    this.metrics.count(metricNames.branchesEnded, { ns, cause, outcome });
  }

  /** `escalate` hands the decision to a person: how long it took is known when that one has decided. */
  private decide({ data, at }: StoredEvent & Extract<RunEvent, { type: 'RetryDecided' }>, run: Id, ns: string): void {
    const { step, decision } = data;
    const bucket = bucketLabel(data.bucket);
    this.metrics.count(metricNames.retryAttempts, { ns, bucket, decision });
    const failure = this.courses.get(run)?.failures.get(step);
    if (failure === undefined) return;
    failure.bucket = data.bucket;
    if (decision === 'escalate') return;
    failure.undecided = false;
    const seconds = secondsBetween(failure.at, at);
    this.metrics.observe(metricNames.failureToDecision, seconds, { ns, bucket, decider: 'policy' });
  }

  /** What was escalated is decided. */
  private decidedByPeople(step: string, at: Instant, run: Id, ns: string): void {
    const failure = this.courses.get(run)?.failures.get(step);
    if (failure?.undecided !== true) return;
    failure.undecided = false;
    const [seconds, bucket] = [secondsBetween(failure.at, at), bucketLabel(failure.bucket)];
    this.metrics.observe(metricNames.failureToDecision, seconds, { ns, bucket, decider: 'human' });
  }

  private resume(
    event: StoredEvent & Extract<RunEvent, { type: 'WaitSatisfied' | 'WaitExpired' }>,
    run: Id,
    ns: string,
    paused: boolean,
  ): void {
    const wait = this.waits.get(event.data.waitId);
    if (wait === undefined) return;
    this.waits.delete(event.data.waitId);
    const { restores, branch, opened } = wait;
    const mayEnd = event.type === 'WaitExpired' && ('fail' in event.data.then || 'giveUp' in event.data.then);
    this.course(run).resumes.push({
      ns,
      run,
      trigger: event.type === 'WaitExpired' ? 'deadline' : kindsOf(wait, event.data.triggers),
      restores,
      branch,
      opened,
      held: paused,
      ...(mayEnd ? { endsWith: event.metadata.appendFirst } : {}),
    });
  }

  private settle(run: Id, outcome: ResumeOutcome): void {
    const course = this.courses.get(run);
    if (course === undefined || course.resumes.length === 0) return;
    const settled = course.resumes.filter(({ held }) => !held);
    if (settled.length === 0) return;
    course.resumes = course.resumes.filter(({ held }) => held);
    for (const { ns, trigger, restores, branch, opened } of settled) this.resumed({ ns, run, trigger, restores, branch, opened, outcome });
  }

  /** What is still held never went on, and is no resume. */
  private end(run: Id, outcome: ResumeOutcome): void {
    this.settle(run, outcome);
    this.courses.delete(run);
  }

  /**
   * The run failed or gave up before any step of it did: its own end and nobody's cut, so it did not resume well. Where the deadline
   * itself is that end, nothing was resumed.
   */
  private endBadly(run: Id, appendFirst: Revision): void {
    const course = this.courses.get(run);
    if (course !== undefined) course.resumes = course.resumes.filter(({ endsWith }) => endsWith !== appendFirst);
    this.end(run, 'failed');
  }
}

const branchOf = ({ metadata }: StoredEvent): string => metadata.branch ?? FIRST_BRANCH;

/** Causes that a policy opens a branch for by a `RetryDecided`: all others are a person's. */
const byPolicy: readonly BranchCause[] = ['retry_modified', 'fallback', 'reduced_scope'];

const openWait = ({ triggers, restores }: WaitOpened['data'], branch: string, opened: Revision): OpenWait => ({
  kinds: triggers.map(({ kind }) => kind),
  restores,
  branch,
  opened,
});

/** Kinds of the triggers at these indexes, each once, in the alphabet's order. */
function kindsOf({ kinds }: OpenWait, triggers: readonly number[]): string {
  const [first] = triggers;
  if (triggers.length === 1 && first !== undefined) return kinds[first] ?? '';
  return [...new Set(triggers.map((index) => kinds[index] ?? ''))].sort().join('+');
}
