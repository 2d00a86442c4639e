// A handler in no SDK: polls, and replies by hand.
import { call } from '../processes.js';
import type { Fields, Value } from '../../../examples/read-the-history/encoding.mjs';

export interface Task {
  readonly data: { readonly step: string; readonly attempt: number; readonly input: Value; readonly queue: string; readonly lease: Fields };
}

const answers: Readonly<Record<string, (task: Task['data']) => Value | undefined>> = {
  echo: ({ step, input }) => ({ step, input, '10': 1, '9': 2, ключ: '\u2028"\\ 😀', f: 0.1 + 0.2, huge: 1e21, tiny: 5e-324, minus: -0 }),
  null: () => null,
  lookalike: () => ({ artifact: 'sha256:00', bytes: 1, mediaType: 'application/json' }),
  big: () => ({ text: 'é'.repeat(3_000) }),
  loop: ({ step }) => ({ done: step.endsWith('#3') }),
  lost: () => 'found',
  undo: () => ({ zurück: true }),
  flaky: ({ attempt }) => (attempt === 1 ? undefined : { attempt }),
  doubtful: ({ attempt }) => (attempt === 1 ? undefined : 'ü'.repeat(3_000)),
};
/** What a queue's failure says. Silence about an effect's side effect means that it is unknown. */
const failures: Readonly<Record<string, Fields>> = {
  fails: { bucket: 'invalid_output', message: 'nö', details: { '10': 1, '9': 2 } },
  flaky: { bucket: 'network', message: 'weg', sideEffect: 'none' },
  doubtful: { code: 'ECONNRESET', message: 'weg' },
};
const usage = { usd: 0.1, tokensIn: 3, tokensOut: 4 };

/** The reply that a task's queue gives. */
export function replyTo({ data }: Task, late?: Value): Fields {
  const output = late ?? answers[data.queue]?.(data);
  const attempt = { id: `${String(data.lease['attemptId'])}:end`, specversion: '1.0', source: '/stranger/7' };
  return output === undefined
    ? {
        ...attempt,
        type: 'cairn.reply.failed.v1',
        data: { lease: data.lease, failure: failures[data.queue] ?? {}, usage },
      }
    : { ...attempt, type: 'cairn.reply.succeeded.v1', data: { lease: data.lease, output, usage } };
}

/** Works on a queue until `over`; each round takes what there is. */
export async function work(data: string, url: string, queue: string, over: () => boolean): Promise<void> {
  while (!over()) {
    const { body } = await call<{ tasks: Task[] }>(data, url, 'POST', `work/${queue}:poll`, { max: 8, waitMs: 300 });
    for (const task of body.tasks) await call(data, url, 'POST', `work/${String(task.data.lease['attemptId'])}:reply`, replyTo(task));
  }
}
