import { FAILED_TYPE, SUCCEEDED_TYPE, type CloudEvent, type ReplyData, type ReplyFailure, type TaskData } from '@cairn/contracts';
import { epochMsOf, instantOf, invariant, type Id, type Instant, type Json } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import type { TargetAnswer } from './effect-server.js';
import type { World } from './world.js';

/** What the tasks of the workloads ask for. */
export interface Asked {
  readonly do: 'add' | 'fail' | 'ask' | 'book' | 'hang';
  readonly n: number;
  /** Of `fail`: how its failures look. Of `hang`, too: the first so many attempts do it. */
  readonly times?: number;
  readonly bucket?: string;
  readonly code?: string;
  readonly retryAfterMs?: number;
}

/** A call to a target that has not answered is given up after this. */
const CALL_TIMEOUT_MS = 2_500;

type Result = { readonly failure: ReplyFailure } | { readonly n: number } | { readonly found: boolean | null; readonly result?: Json };

/**
 * What every handler does with a task, whoever it is: outputs depend on the input alone, and on what the target answers. In the
 * handler's own time, so nothing comes of it if that handler dies. Never answers a task that hangs.
 */
export async function workAt(world: World, clock: Clock, handler: string, task: CloudEvent<TaskData>): Promise<CloudEvent<ReplyData>> {
  const { data, cairnrun: run } = task;
  invariant(data !== undefined && run !== undefined, 'a task has data and a run');
  const result = await resultOf(world, clock, data, run as Id);
  const envelope = { specversion: '1.0', id: `${data.lease.attemptId}:end`, source: `/${handler}`, cairnrun: run } as const;
  if ('failure' in result) return { ...envelope, type: FAILED_TYPE, data: { lease: data.lease, failure: result.failure } };
  return { ...envelope, type: SUCCEEDED_TYPE, data: { lease: data.lease, output: result as unknown as Json } };
}

async function resultOf(world: World, clock: Clock, task: TaskData, run: Id): Promise<Result> {
  const asked = task.input as unknown as Asked;
  const { n, times = Infinity } = asked;
  if (task.kind === 'compensate') return { n: 0 };
  if (task.kind === 'reconcile') return lookedUp(world, clock, task, n);
  switch (asked.do) {
    case 'add':
      return { n: n + 1 };
    case 'fail':
      return task.attempt <= times && !isMended(task) ? { failure: declaredFailure(asked, clock) } : { n: n + 1 };
    case 'hang':
      return task.attempt <= times ? new Promise<never>(() => undefined) : { n: n + 1 };
    case 'ask':
      return resultFrom(await answered(clock, (answer) => world.target.ask(answer)), { n, clock, attempt: task.attempt });
    case 'book': {
      const { effect } = task;
      invariant(effect !== undefined, 'whoever books is given a key');
      const request = {
        run,
        step: task.step,
        attemptId: task.lease.attemptId,
        key: effect.key,
        attempt: task.attempt,
        honours: effect.guarantee === 'idempotent',
      };
      return resultFrom(await answered(clock, (answer) => world.target.book(request, answer)), {
        n,
        clock,
        attempt: task.attempt,
        silence: 'unknown',
      });
    }
  }
}

/** Finds out about a booking. A target that cannot tell makes a handler that cannot tell. */
async function lookedUp(world: World, clock: Clock, { effect, attempt }: TaskData, n: number): Promise<Result> {
  invariant(effect?.attempt !== undefined, 'whoever looks is told what for');
  const about = { key: effect.key, attempt: effect.attempt };
  const answer: (TargetAnswer & { readonly found?: boolean }) | 'no answer' = await answered(clock, (told) =>
    world.target.look(about, told),
  );
  if (answer === 'no answer' || answer.status === 500) return { found: null };
  if (answer.status !== 200) return resultFrom(answer, { n, clock, attempt });
  return answer.found === true ? { found: true, result: { n: n + 1 } } : { found: false };
}

/** The declared alternative, or a changed retry, gives the work what it lacked. */
const isMended = ({ params }: TaskData): boolean => (params as { readonly mended?: boolean } | null)?.mended === true;

const declaredFailure = ({ bucket, code, retryAfterMs }: Asked, clock: Clock): ReplyFailure => ({
  ...(bucket === undefined ? {} : { bucket }),
  ...(code === undefined ? {} : { code }),
  message: 'this task fails',
  ...(retryAfterMs === undefined ? {} : { retryAfter: instantOf(clock.now() + retryAfterMs) }),
  sideEffect: 'none',
});

interface Calling {
  readonly n: number;
  readonly clock: Clock;
  readonly attempt: number;
  /** What is known of the world outside where nobody answered. */
  readonly silence?: 'unknown';
}

/** What the handler says of an answer. It knows that nothing happened only where the target says so. */
function resultFrom(answer: TargetAnswer | 'no answer', { n, clock, attempt, silence }: Calling): Result {
  const vague = silence === undefined ? {} : { sideEffect: silence };
  if (answer === 'no answer') return { failure: { bucket: 'timeout', message: 'the target did not answer', ...vague } };
  switch (answer.status) {
    case 200:
      return { n: n + 1 };
    case 429:
      return { failure: limited(answer.retryAfter, clock, attempt) };
    case 503:
      return { failure: { bucket: 'upstream_5xx', message: 'not now', details: { status: 503 }, sideEffect: 'none' } };
    case 500:
      return { failure: { bucket: 'upstream_5xx', message: 'something went wrong', details: { status: 500 } } };
    case 'connection lost':
      return { failure: { bucket: 'network', message: 'the connection broke', ...vague } };
  }
}

/** Some handlers read the provider's time, others hand over the answer as it came. */
function limited(retryAfter: Instant, clock: Clock, attempt: number): ReplyFailure {
  if (attempt % 2 === 1) return { bucket: 'rate_limited', message: 'too many requests', retryAfter, sideEffect: 'none' };
  const seconds = Math.max(0, Math.ceil((epochMsOf(retryAfter) - clock.now()) / 1_000));
  return { message: 'too many requests', details: { status: 429, headers: { 'retry-after': String(seconds) } }, sideEffect: 'none' };
}

/** Calls and waits, but not for ever. What comes back comes in the caller's own time. */
function answered(clock: Clock, call: (answer: (answer: TargetAnswer) => void) => void): Promise<TargetAnswer | 'no answer'> {
  return new Promise((resolve) => {
    const timer = clock.after(CALL_TIMEOUT_MS, () => resolve('no answer'));
    call((answer) => void clock.after(0, () => (timer.cancel(), resolve(answer))));
  });
}
