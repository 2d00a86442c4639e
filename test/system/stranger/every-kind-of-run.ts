// A server with a run of every kind, made over HTTP: what a stranger reads.
import { waitUntil } from '@cairn/testkit';
import { id } from '../../../examples/read-the-history/checks.mjs';
import type { Fields } from '../../../examples/read-the-history/encoding.mjs';
import { call, startServer } from '../processes.js';
import { makeBranchedRun } from './branched-run.js';
import { replyTo, work, type Task } from './worker.js';
import { workflows } from './workflows.js';

const PATIENCE_MS = 120_000;

export interface World extends Made {
  readonly data: string;
  readonly server: Awaited<ReturnType<typeof startServer>>;
}

/** Runs on a server that somebody else started. */
export interface Made {
  /** By the names of their workflows. */
  readonly runs: ReadonlyMap<string, string>;
  /** One that has more branches than `main`. */
  readonly branched: string;
  get<T>(path: string): Promise<T>;
  /** Ends the handlers. */
  dismiss(): Promise<void>;
}

/** Starts a server. Resolves when every run has come as far as it goes. `key`: the runs' ids follow from it. */
export async function everyKindOfRun(data: string, key = 'ключ-9'): Promise<World> {
  const server = await startServer(data);
  return { data, server, ...(await makeEveryKindOfRun(data, server.url, key)) };
}

/** The same on the server at `url`, whose token lies in `data`. */
export async function makeEveryKindOfRun(data: string, url: string, key = 'ключ-9'): Promise<Made> {
  const runs = new Map<string, string>();
  let over = false;

  const get = async <T>(path: string): Promise<T> => (await call<T>(data, url, 'GET', path)).body;
  const post = async <T>(path: string, body: unknown): Promise<T> => (await call<T>(data, url, 'POST', path, body)).body;
  const send = (type: string, eventKey: string, eventData: unknown, name = type): Promise<Fields> =>
    post('events', {
      specversion: '1.0',
      id: `${name} ${eventKey}`,
      source: '/the/ stränger',
      type,
      cairnkey: eventKey,
      data: eventData,
      extra: 'ü',
    });
  const start = async (name: string): Promise<void> => {
    const input = { key, values: [1.5, -0, 1e-7, '\u007f'], '10': true, '9': null };
    const { runId } = await post<{ runId: string }>(`workflows/${name}/runs`, { key, input, attributes: { since: 9.5 } });
    runs.set(name, runId);
  };
  const until = (runId: string, state: string, step?: string): Promise<boolean> =>
    waitUntil(
      `${runId} is ${state} ${step ?? ''}`,
      async () => {
        const view = await get<{ readonly state: string; readonly path: { readonly steps: Fields } }>(`runs/${runId}/state`);
        return view.state === state && (step === undefined || (view.path.steps[step] as Fields | undefined)?.['status'] === 'waiting');
      },
      PATIENCE_MS,
    );

  /** An attempt is lost with its session, tried again, and its first handler speaks up twice too late. */
  const loseAnAttempt = async (runId: string): Promise<void> => {
    const frame = { session: id('a session'), seq: 1, handler: 'stranger/1', queues: { lost: 1 }, held: [], replies: [] };
    const lost: Task[] = [];
    for (let seq = 1; lost.length === 0; seq++) lost.push(...(await post<{ tasks: Task[] }>('work:exchange', { ...frame, seq })).tasks);
    const found: Task[] = [];
    while (found.length === 0) found.push(...(await post<{ tasks: Task[] }>('work/lost:poll', { max: 1, waitMs: 1_000 })).tasks);
    for (const [task, output] of [
      [lost[0], 'too late'],
      [found[0], undefined],
      [lost[0], 'later still'],
    ] as const) {
      if (task === undefined) throw new Error('an attempt was given');
      await post(`work/${String(task.data.lease['attemptId'])}:reply`, replyTo(task, output));
    }
    await until(runId, 'complete');
  };

  for (const definition of workflows) {
    const { name } = definition as { name: string };
    const applied = async (): Promise<boolean> => {
      const { status, body } = await call(data, url, 'PUT', `definitions/${name}`, definition);
      if (status > 202) throw new Error(`${name} was not applied: ${JSON.stringify(body)}`);
      return status !== 202; // Nobody could say so in time: asked again, it is there.
    };
    await waitUntil(`${name} is applied`, applied, PATIENCE_MS);
  }
  const workers = ['echo', 'null', 'lookalike', 'big', 'loop', 'fails', 'flaky', 'doubtful', 'undo'].map((queue) =>
    work(data, url, queue, () => over),
  );
  for (const definition of workflows) {
    const { name } = definition as { name: string };
    if (name === 'stranger-waits') await send('stranger.kept', key, { '10': 1, '9': 0.30000000000000004 });
    if (name !== 'stranger-told') await start(name);
  }
  runs.set('stranger-told', id('run', 'default', 'stranger-told', `${key}-told`));

  const waits = runs.get('stranger-waits') ?? '';
  await until(waits, 'waiting', 'any');
  await send('stranger.one', `${key}!`, { n: 1 }); // A near miss.
  await send('stranger.one', key, { n: 0 }, 'the guard is false');
  await send('stranger.one', key, { n: 1, text: 'ß'.repeat(3_000) });
  await until(waits, 'waiting', 'all');
  await send('stranger.two.v3', key, null);
  await post(`runs/${waits}/signals/also`, { data: { '10': 'ten', '9': [] } });
  await until(waits, 'waiting', 'most');
  await send('stranger.four', key, 4);
  await send('stranger.three', key, [3]);
  const deadlines = runs.get('stranger-deadlines') ?? '';
  for (const n of [1, 2]) await post(`runs/${deadlines}/signals/vote`, { data: { n } });
  await loseAnAttempt(runs.get('stranger-lost') ?? '');

  const asks = runs.get('stranger-asks') ?? '';
  for (const [step, verdict, edits] of [
    ['ask', 'edit', [{ op: 'replace', path: '/list/0', value: 2 }]],
    ['own', 'approve', undefined],
    ['again', 'reject', undefined],
  ] as const) {
    await until(asks, 'in_review', step);
    const review = await waitUntil(
      `review ${step} is open`,
      async () =>
        (
          await get<{ items: readonly { review: string; step: string; revision: number; subjectDigest: string }[] }>(`reviews?run=${asks}`)
        ).items.find((one) => one.step === step),
      PATIENCE_MS,
    );
    const { revision, subjectDigest } = review;
    await post(`reviews/${review.review}:decide`, {
      revision,
      subjectDigest,
      verdict,
      reason: 'schön ü',
      ...(edits === undefined ? {} : { edits }),
    });
  }

  const controlled = runs.get('stranger-controlled') ?? '';
  await until(controlled, 'active', 'hold');
  for (const verb of ['pause', 'unpause', 'cancel']) await post(`runs/${controlled}:${verb}`, { reason: `bitte ${verb} ü` });

  const stays: Readonly<Record<string, string>> = {
    'stranger-blocked': 'escalated', // People are asked what becomes of it.
    'stranger-doubt': 'blocked',
    'stranger-passed-over': 'blocked',
    'stranger-open': 'waiting',
  };
  for (const [name, runId] of runs) await until(runId, stays[name] ?? 'complete');
  const put = async (path: string, body: unknown): Promise<unknown> => {
    const { status, body: told } = await call(data, url, 'PUT', path, body);
    if (status > 202) throw new Error(`${path} was not applied: ${JSON.stringify(told)}`);
    return told;
  };
  const branched = await makeBranchedRun({ get, put, post }, key);
  return {
    runs,
    branched,
    get,
    dismiss: async () => {
      over = true;
      await Promise.allSettled(workers);
    },
  };
}
