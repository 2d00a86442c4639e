import { OUTPUT_ARTIFACT_BYTES_MAX, type ReplyFailure } from '@cairn/contracts';
import { isName, type Json } from '@cairn/kernel';
import { cutMessage } from './cut-text.js';
import { saidBy, StepFailure } from './failure.js';
import { compileCheck, type Checked, type Schema } from './schema-check.js';
import { StepResult, type Attempt, type ResultOptions, type Task } from './task.js';
import { readThrown } from './unread.js';
import type { Usage } from './usage.js';

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
  | { readonly kind: 'failed'; readonly failure: ReplyFailure; readonly usage?: Usage };

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
      const end = once(done);
      const settle = (answer: unknown): void => end(outcomeOf(answer, checkOutput, attempt));
      const fail = (thrown: unknown): void => end({ kind: 'failed', ...saidBy(thrown) });
      const refuse = (thrown: unknown): void => {
        const reading = readThrown(thrown);
        if (reading === undefined) fail(thrown);
        else void reading.then(fail);
      };
      try {
        const checked = checkInput?.(attempt.input);
        // The function is not called, so nothing can have happened outside.
        if (checked?.ok === false) return end(breach('invalid_input', `the input breaks the handler's schema: ${checked.says}`, 'none'));
        if (checked !== undefined) attempt.input = checked.value;
        const answer: unknown = code(attempt as Task<I>);
        if (isThenable(answer)) answer.then(settle, refuse);
        else settle(answer);
      } catch (thrown) {
        refuse(thrown);
      }
    },
  };
}

/** A promise of somebody else's making may settle twice. */
function once(done: (outcome: Outcome) => void): (outcome: Outcome) => void {
  let ended = false;
  return (outcome) => {
    if (ended) return;
    ended = true;
    done(outcome);
  };
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && typeof (answer as { then?: unknown }).then === 'function';
}

/** Never throws. An effect whose function came to its end was carried out, whatever is wrong with what it gave. */
function outcomeOf(answer: unknown, check: ((value: unknown) => Checked) | undefined, attempt: Attempt): Outcome {
  const bad = (says: string): Outcome => breach('invalid_output', says, attempt.kind === 'effect' ? 'applied' : undefined);
  try {
    if (answer instanceof StepFailure) return { kind: 'failed', ...saidBy(answer) };
    const rich = answer instanceof StepResult;
    const value: unknown = rich ? answer.output : answer;
    const checked = check?.(value);
    if (checked?.ok === false) return bad(`the output breaks the handler's schema: ${checked.says}`);
    const output = JSON.stringify(value ?? null) ?? 'null';
    // A character is at most three bytes, so short texts need no count.
    if (output.length * 3 > OUTPUT_ARTIFACT_BYTES_MAX && Buffer.byteLength(output) > OUTPUT_ARTIFACT_BYTES_MAX)
      return bad(`the output has ${Buffer.byteLength(output)} bytes; at most ${OUTPUT_ARTIFACT_BYTES_MAX} are taken`);
    return { kind: 'succeeded', output, options: rich ? asJson(answer.options) : {} };
  } catch (thrown) {
    return bad(`the output cannot be written as JSON: ${saidBy(thrown).failure.message}`);
  }
}

/** What cannot be written must fail here, where it is this attempt's failure. */
const asJson = (options: ResultOptions): ResultOptions => JSON.parse(JSON.stringify(options)) as ResultOptions;

const breach = (code: 'invalid_input' | 'invalid_output', says: string, sideEffect?: ReplyFailure['sideEffect']): Outcome => ({
  kind: 'failed',
  failure: { bucket: code, code, message: cutMessage(says), ...(sideEffect === undefined ? {} : { sideEffect }) },
});
