import { OUTPUT_BYTES_MAX, type ReplyFailure } from '@cairn/contracts';
import { isName, type Json } from '@cairn/kernel';
import { classifyThrown, cutMessage, StepFailure } from './failure.js';
import { compileCheck, type Checked, type Schema } from './schema-check.js';
import { StepResult, type Attempt, type ResultOptions, type Task } from './task.js';

/** Tasks of one handler that run at the same time in a process, if it does not say. */
export const CONCURRENCY_DEFAULT = 8;

export interface HandlerOptions<I, O> {
  /** What the input must be; a breach is the failure `invalid_input`, and the function is not called. */
  readonly input?: Schema<I>;
  /** What the output must be; a breach is the failure `invalid_output`. */
  readonly output?: Schema<O>;
  /** Tasks at the same time in this process. Default 8. */
  readonly concurrency?: number;
}

export type HandlerFunction<I, O> = (task: Task<I>) => HandlerAnswer<O> | Promise<HandlerAnswer<O>>;
type HandlerAnswer<O> = O | StepResult<O> | StepFailure;

/** Code for the tasks of one queue. Given to `serve`. */
export interface Handler {
  readonly queue: string;
  readonly concurrency: number;
  /** Runs one attempt to its end. Calls `done` once, in the same tick where the function is synchronous; never throws. */
  run(attempt: Attempt, done: (outcome: Outcome) => void): void;
}

/** How an attempt ended: the output as JSON text, or the failure. */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly output: string; readonly options: ResultOptions }
  | { readonly kind: 'failed'; readonly failure: ReplyFailure };

/**
 * Declares the code for a queue. The function may be called more than once for a step (each call is another attempt), never twice at
 * the same time for one attempt; what it returns is the step's output, what it throws is its failure.
 * Throws `TypeError` at once for a queue, schema or concurrency that cannot be.
 */
export function handler<O = unknown, I = Json>(queue: string, code: HandlerFunction<I, O>): Handler;
export function handler<O = unknown, I = Json>(queue: string, options: HandlerOptions<I, O>, code: HandlerFunction<I, O>): Handler;
export function handler<I, O>(queue: string, second: HandlerOptions<I, O> | HandlerFunction<I, O>, third?: HandlerFunction<I, O>): Handler {
  const [options, code] = typeof second === 'function' ? [{}, second] : [second, third];
  if (!isName(queue)) throw new TypeError(`handler: the queue '${queue}' is no name (a-z, then up to 62 of a-z 0-9 -)`);
  if (typeof code !== 'function') throw new TypeError(`handler '${queue}': a function is needed`);
  const { concurrency = CONCURRENCY_DEFAULT } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) throw new TypeError(`handler '${queue}': concurrency is a whole number from 1`);
  const checkInput = options.input === undefined ? undefined : compileCheck(options.input, `handler '${queue}', input`);
  const checkOutput = options.output === undefined ? undefined : compileCheck(options.output, `handler '${queue}', output`);

  return {
    queue,
    concurrency,
    run(attempt, done) {
      const settle = (answer: unknown): void => done(outcomeOf(answer, checkOutput));
      const refuse = (thrown: unknown): void => done({ kind: 'failed', failure: classifyThrown(thrown) });
      if (checkInput !== undefined) {
        const checked = checkInput(attempt.input);
        if (!checked.ok) return done(breach('invalid_input', `the input breaks the handler's schema: ${checked.says}`));
        attempt.input = checked.value;
      }
      let answer: unknown;
      try {
        answer = code(attempt as Task<I>);
        if (isThenable(answer)) {
          answer.then(settle, refuse);
          return;
        }
      } catch (thrown) {
        return refuse(thrown);
      }
      settle(answer);
    },
  };
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && typeof (answer as { then?: unknown }).then === 'function';
}

function outcomeOf(answer: unknown, check: ((value: unknown) => Checked) | undefined): Outcome {
  try {
    if (answer instanceof StepFailure) return { kind: 'failed', failure: answer.failure };
    const rich = answer instanceof StepResult;
    const value: unknown = rich ? answer.output : answer;
    if (check !== undefined) {
      const checked = check(value);
      if (!checked.ok) return breach('invalid_output', `the output breaks the handler's schema: ${checked.says}`);
    }
    const output = JSON.stringify(value ?? null) ?? 'null';
    // A character is at most three bytes, so short texts need no count.
    if (output.length * 3 > OUTPUT_BYTES_MAX && Buffer.byteLength(output) > OUTPUT_BYTES_MAX)
      return breach('invalid_output', `the output has ${Buffer.byteLength(output)} bytes; at most ${OUTPUT_BYTES_MAX} are taken inline`);
    return { kind: 'succeeded', output, options: rich ? answer.options : {} };
  } catch (thrown) {
    return breach('invalid_output', `the output cannot be written as JSON: ${classifyThrown(thrown).message}`);
  }
}

const breach = (code: 'invalid_input' | 'invalid_output', says: string): Outcome => ({
  kind: 'failed',
  failure: { bucket: code, code, message: cutMessage(says) },
});
