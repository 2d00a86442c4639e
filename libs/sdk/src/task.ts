import type { CloudEvent, TaskData, TaskLesson } from '@cairn/contracts';
import type { Id, Json } from '@cairn/kernel';
import { artifactsOf, type ArtifactStore, type TaskArtifacts } from './artifacts.js';
import { StepFailure, type FailureOptions } from './failure.js';
import type { Usage } from './usage.js';

/** What a handler may say beside its output. */
export interface ResultOptions {
  /** A digest or tag of what the output rests on. */
  readonly evidence?: string;
  /** 0 (sure) to 1. */
  readonly uncertainty?: number;
  readonly usage?: Usage;
}

/** A handler's answer with more than its output, made by `task.result(…)`. */
export class StepResult<O = unknown> {
  constructor(
    readonly output: O,
    readonly options: ResultOptions,
  ) {}
}

/** What an effect is known by. */
export interface TaskEffect {
  readonly key: string;
  /** sha256 hex of what the act means: equal key and equal fingerprint are one act. */
  readonly fingerprint: string;
  /** What follows if nobody learns whether it was done. `idempotent`: it is sent again under its key. `none`: a person decides. */
  readonly guarantee: 'none' | 'reconcile' | 'idempotent';
  /**
   * Of a reconciliation: the number of the attempt (`task.attempt` there) of which nobody knows. A target that is told it can refuse whatever
   * of that attempt, or of one before it, still comes.
   */
  readonly attempt?: number;
  /** Of a compensation: what the target gave for the act. */
  readonly receipt?: Json;
}

/**
 * What is asked for. `reconcile`: whether the effect has happened, to be answered `{ found: true | false | null, result? }`; `false` says that
 * it has not and will not any more, so while a call of the lost attempt may still be on its way to the target the answer is `null`.
 * `compensate`: that the effect is undone; what is undone already is a success.
 */
export type TaskKind = 'task' | 'decide' | 'effect' | 'reconcile' | 'compensate';

/** The answer of a handler that reconciles. */
export interface Reconciled<R = Json> {
  readonly found: boolean | null;
  /** With `found: true`: the output of the step, as the lost attempt would have given it. */
  readonly result?: R;
}

/** One attempt at a step, as its handler sees it (`capabilities.md` §4). */
export interface Task<I = Json> {
  /** What the step's expressions gave, checked by the handler's `input` schema. */
  readonly input: I;
  /** The knobs of the step, which a changed retry may turn. */
  readonly params: Json;
  readonly purpose: string | undefined;
  /** Of a decision: what may be chosen; the answer is `{ choice, because }`. Empty of everything else. */
  readonly choices: readonly string[];
  readonly kind: TaskKind;
  /** What a person wants to be different from earlier attempts, where somebody said so. */
  readonly guidance: string | undefined;
  /** On a branch: what became of the path before it, and what is different now; `undefined` elsewhere, and where the branch tells nothing. */
  readonly lesson: TaskLesson | undefined;
  /** Of an effect, and of what finds out about it or undoes it: the act on the world that this attempt stands for. Absent of a task. */
  readonly effect: TaskEffect | undefined;
  /** The key to hand to the target as its idempotency key; equal in every attempt. Throws `TypeError` for a step that is no effect. */
  readonly idempotencyKey: string;
  /** The last attempt's failure, if there was one. */
  readonly previous: { readonly bucket: string; readonly message: string } | undefined;
  readonly run: Id;
  readonly workflow: string;
  readonly branch: string;
  /** Rises with every change of head: hand it to systems that can fence. */
  readonly epoch: number;
  /** The occurrence: `screen`, `poll#2`. */
  readonly step: string;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly attemptId: Id;
  /** Aborted when the attempt's time is over, its lease is lost, or the process has drained long enough. */
  readonly signal: AbortSignal;
  /** Whole milliseconds until the step's timeout, never below 0. */
  timeLeft(): number;
  /** Bytes by their digest. An output over 64 KiB goes there by itself. */
  readonly artifact: TaskArtifacts;
  /** Says how far the work is, for people who watch. Never fails: progress that is lost is only not shown. */
  progress(says: string): Promise<void>;
  /** The output with its evidence. Returning a plain value is the same without. */
  result<O>(output: O, options?: ResultOptions): StepResult<O>;
  /** Ends the attempt as failed: `throw task.failure({ bucket: 'rate_limited', retryAfter })`. */
  failure(options: FailureOptions): StepFailure;
}

/** What an attempt needs of its session. */
export interface AttemptHost {
  progress(attempt: Attempt, says: string): Promise<boolean>;
  readonly artifacts: ArtifactStore;
}

/** The `Task` of one taken attempt. Signal and timer are made only for a handler that looks: most never do. */
export class Attempt implements Task<unknown> {
  readonly takenAt = performance.now();
  input: unknown;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #aborted: string | undefined;

  constructor(
    private readonly event: CloudEvent<TaskData>,
    private readonly data: TaskData,
    private readonly host: AttemptHost,
    /** The replica that gave it, where several do. */
    readonly giver?: Id,
  ) {
    this.input = data.input;
  }

  get params(): Json {
    return this.data.params;
  }
  get choices(): readonly string[] {
    return this.data.choices ?? [];
  }
  get purpose(): string | undefined {
    return this.data.purpose;
  }
  get kind(): TaskKind {
    return this.data.kind;
  }
  get guidance(): string | undefined {
    return this.data.guidance;
  }
  get lesson(): TaskLesson | undefined {
    return this.data.lesson;
  }
  get effect(): TaskEffect | undefined {
    return this.data.effect;
  }
  get idempotencyKey(): string {
    if (this.data.effect !== undefined) return this.data.effect.key;
    throw new TypeError(`step ${this.step} is no effect: it has no key`);
  }
  get previous(): Task['previous'] {
    return this.data.previous;
  }
  get run(): Id {
    return this.event.cairnrun ?? '';
  }
  get workflow(): string {
    return this.data.workflow;
  }
  get branch(): string {
    return this.data.lease.branch;
  }
  get epoch(): number {
    return this.data.lease.epoch;
  }
  get step(): string {
    return this.data.step;
  }
  get attempt(): number {
    return this.data.attempt;
  }
  get attemptsMax(): number {
    return this.data.attemptsMax;
  }
  get attemptId(): Id {
    return this.data.lease.attemptId;
  }
  /** The durable subject of its reply. */
  get replyTo(): string {
    return this.data.replyTo;
  }
  get artifact(): TaskArtifacts {
    return artifactsOf(this.host.artifacts, () => this.signal);
  }
  /** It was granted, once for ever, to this session. */
  get isClaimed(): boolean {
    return this.data.claim === true;
  }
  get leaseMs(): number {
    return this.data.leaseMs;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(new Error(this.#aborted));
      else {
        this.#timer = setTimeout(() => this.#timeIsOver(), this.timeLeft());
        this.#timer.unref();
      }
    }
    return this.#controller.signal;
  }

  timeLeft(): number {
    return Math.max(0, Math.ceil(this.data.timeoutMs - (performance.now() - this.takenAt)));
  }

  async progress(says: string): Promise<void> {
    const open = await this.host.progress(this, says);
    if (!open) this.abort('the lease of this attempt is lost');
  }

  result<O>(output: O, options: ResultOptions = {}): StepResult<O> {
    return new StepResult(output, options);
  }

  failure(options: FailureOptions): StepFailure {
    return new StepFailure(options);
  }

  /** What `JSON.stringify(task)` shows: what was asked for, without what leads to the session. */
  toJSON(): object {
    const { run, workflow, branch, epoch, step, attempt, attemptsMax, attemptId, kind, input, params } = this;
    const { purpose, guidance, lesson, effect, previous, choices } = this.data;
    const asked = { run, workflow, branch, epoch, step, attempt, attemptsMax, attemptId, kind, input, params };
    return { ...asked, purpose, choices, guidance, lesson, effect, previous };
  }

  /** Tells the handler to stop. What it still replies is sent all the same: late replies are recorded. */
  abort(why: string): void {
    this.#aborted ??= why;
    this.#controller?.abort(new Error(why));
  }

  /** By its name a time-out, which is what a handler that only passes it on says then. */
  #timeIsOver(): void {
    this.#controller?.abort(Object.assign(new Error('the time of this attempt is over'), { name: 'TimeoutError' }));
  }

  /** The handler is done: no timer may keep firing for it. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
