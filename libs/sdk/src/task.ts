import type { CloudEvent, TaskData } from '@cairn/contracts';
import type { Id, Json } from '@cairn/kernel';
import { StepFailure, type FailureOptions } from './failure.js';

/** What a handler may say beside its output. */
export interface ResultOptions {
  /** A digest or tag of what the output rests on. */
  readonly evidence?: string;
  /** 0 (sure) to 1. */
  readonly uncertainty?: number;
  /** What it cost. Counted towards budgets. */
  readonly usage?: { readonly usd?: number; readonly tokensIn?: number; readonly tokensOut?: number; readonly model?: string };
}

/** A handler's answer with more than its output, made by `task.result(…)`. */
export class StepResult<O = unknown> {
  constructor(
    readonly output: O,
    readonly options: ResultOptions,
  ) {}
}

/** One attempt at a step, as its handler sees it (`capabilities.md` §4). */
export interface Task<I = Json> {
  /** What the step's expressions gave, checked by the handler's `input` schema. */
  readonly input: I;
  /** The knobs of the step, which a changed retry may turn. */
  readonly params: Json;
  readonly purpose: string | undefined;
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
  /** Says how far the work is, for people who watch. Never fails: progress that is lost is only not shown. */
  progress(says: string): Promise<void>;
  /** The output with its evidence. Returning a plain value is the same without. */
  result<O>(output: O, options?: ResultOptions): StepResult<O>;
  /** Ends the attempt as failed: `throw task.failure({ bucket: 'rate_limited', retryAfter })`. */
  failure(options: FailureOptions): StepFailure;
}

/** What an attempt needs of its session. */
export interface AttemptHost {
  progress(attemptId: Id, says: string): Promise<boolean>;
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
  ) {
    this.input = data.input;
  }

  get params(): Json {
    return this.data.params;
  }
  get purpose(): string | undefined {
    return this.data.purpose;
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
  get leaseMs(): number {
    return this.data.leaseMs;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(new Error(this.#aborted));
      else {
        this.#timer = setTimeout(() => this.abort('the time of this attempt is over'), this.timeLeft());
        this.#timer.unref();
      }
    }
    return this.#controller.signal;
  }

  timeLeft(): number {
    return Math.max(0, Math.ceil(this.data.timeoutMs - (performance.now() - this.takenAt)));
  }

  async progress(says: string): Promise<void> {
    const open = await this.host.progress(this.attemptId, says);
    if (!open) this.abort('the lease of this attempt is lost');
  }

  result<O>(output: O, options: ResultOptions = {}): StepResult<O> {
    return new StepResult(output, options);
  }

  failure(options: FailureOptions): StepFailure {
    return new StepFailure(options);
  }

  /** Tells the handler to stop. What it still replies is sent all the same: late replies are recorded. */
  abort(why: string): void {
    this.#aborted ??= why;
    this.#controller?.abort(new Error(why));
  }

  /** The handler is done: no timer may keep firing for it. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
