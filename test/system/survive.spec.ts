// Goal: C-SURVIVE on the embedded default. A run of at least 30 events is hit by SIGKILL of the server at each of its revisions, before
// or after the append that holds it; outcome, output and the outputs of all steps are those of a run that nobody touched.
// Method: one data folder, one handler process that outlives all servers. Each server process starts one run and dies at its point;
// the next one takes up what was left. Attempts, times and ids may differ.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '@cairn/testkit';
import { call, root, Spawned, startServer } from './processes.js';

const task = (id: string, n: string | number, more: object = {}): object => ({ id, task: { queue: 'survive' }, input: { n }, ...more });
const deadline = { deadline: '1h', onDeadline: { fail: 'timeout' } };
const on = (type: string): object => ({ event: { type, key: '${input.key}' } });

const definition = {
  cairn: 1,
  name: 'survive',
  version: '1.0.0',
  goal: 'Survive ${input.key}',
  steps: [
    task('a', 1, { checkpoint: 'begun' }),
    { id: 'early', wait: { any: [on('survive.early')], ...deadline } },
    task('b', '${steps.early.output.data.n}'),
    { id: 'pause', wait: { any: [{ timer: 200 }], ...deadline } },
    task('c', '${steps.b.output.sum}', { after: ['b'] }),
    task('d', '${steps.c.output.sum}', { after: ['pause', 'c'] }),
    { id: 'late', wait: { all: [on('survive.late'), { signal: 'go' }], ...deadline } },
    { id: 'poll', task: { queue: 'survive-poll' }, repeat: { until: 'output.done', max: 5 } },
    { id: 'tell', emit: { type: 'survive.told', key: '${input.key}', data: { d: '${steps.d.output.sum}' } } },
    task('e', '${steps.d.output.sum}', { optional: true }),
    task('f', '${steps.e.output.sum}', { checkpoint: 'done' }),
  ],
  output: { value: { f: '${steps.f.output.sum}', late: '${steps.late.output[0].trigger}' } },
};

interface State {
  readonly state: string;
  readonly sub: string;
  readonly path: { readonly steps: Record<string, { readonly status: string; readonly output: Json }> };
}
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface History {
  readonly branches: { readonly events: { readonly type: string; readonly data: { readonly output?: Json } }[] }[];
}

/** What must be equal: ids and times of what came are the run's own. */
function outcomeOf(state: State, history: History): unknown {
  const steps = Object.fromEntries(
    Object.entries(state.path.steps).map(([step, { status, output }]) => [
      step,
      { status, output: ['early', 'late', 'pause', 'tell'].includes(step) ? '…' : output },
    ]),
  );
  const end = history.branches[0]?.events.findLast(({ type }) => type.startsWith('Run'));
  return { state: state.state, sub: state.sub, steps, end: end?.type, output: end?.data.output };
}

/** A lost handler is seen after three beats and tried again; many runs are taken up at once. */
const PATIENCE_MS = 30_000;

describe('a run outlives its server (C-SURVIVE)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-survive-'));
  const data = join(folder, 'data');
  let server: Awaited<ReturnType<typeof startServer>>;
  let handlers: Spawned;

  const start = async (key: string): Promise<string> => {
    const { body } = await call<{ runId: string }>(data, server.url, 'POST', 'workflows/survive/runs', { key, input: { key } });
    return body.runId;
  };
  /** Everything that the run will wait for, sent at once: some of it comes early. Same ids each time, so it counts once. */
  const feed = async (key: string, runId: string): Promise<void> => {
    for (const type of ['survive.early', 'survive.late']) {
      await call(data, server.url, 'POST', 'events', {
        specversion: '1.0',
        id: `${type}-${key}`,
        source: '/survive',
        type,
        cairnkey: key,
        data: { n: 10 },
      });
    }
    await call(data, server.url, 'POST', `runs/${runId}/signals/go`, {});
  };
  const look = async (runId: string): Promise<unknown> => {
    const state = await call<State>(data, server.url, 'GET', `runs/${runId}/state`);
    const history = await call<History>(data, server.url, 'GET', `runs/${runId}/history`);
    return outcomeOf(state.body, history.body);
  };
  const isComplete = async (runId: string): Promise<boolean> =>
    (await call<{ state: string }>(data, server.url, 'GET', `runs/${runId}`)).body.state === 'complete';

  beforeAll(async () => {
    server = await startServer(data);
    handlers = Spawned.start(join(root, 'test/system/survive-handlers.mjs'), [data]);
    await handlers.firstLine;
    expect((await call(data, server.url, 'PUT', 'definitions/survive', definition)).status).toBe(201);
  }, 60_000);

  afterAll(async () => {
    await handlers.kill();
    await server.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('whatever revision it is killed at', async () => {
    const reference = await start('reference');
    await feed('reference', reference);
    await waitUntil('the reference run is complete', () => isComplete(reference), PATIENCE_MS);
    const expected = await look(reference);
    const { body } = await call<History>(data, server.url, 'GET', `runs/${reference}/history`);
    const revisions = body.branches[0]?.events.length ?? 0;
    expect(revisions).toBeGreaterThanOrEqual(30);

    const keys: string[] = [];
    for (let revision = 0; revision < revisions; revision++) {
      const point = `${revision % 2 === 0 ? 'before' : 'after'}-append:${revision}`;
      await server.process.kill();
      server = await startServer(data, { NODE_ENV: 'test', CAIRN_CRASH_AT: point });
      keys.push(point);
      const dies = server.process.exited;
      await start(point)
        .then((runId) => feed(point, runId))
        .catch(() => undefined); // It may die before it can answer.
      expect(await dies).toMatchObject({ signal: 'SIGKILL' });
    }

    server = await startServer(data);
    for (const key of keys) {
      const runId = await start(key); // Idempotent: whoever got no answer asks again.
      await feed(key, runId);
      await waitUntil(`the run that was killed at ${key} is complete`, () => isComplete(runId), PATIENCE_MS);
      expect([key, await look(runId)]).toEqual([key, expected]);
      const verified = await call<{ violations: unknown[] }>(data, server.url, 'GET', `runs/${runId}/verify?when=quiescent`);
      expect([key, verified.body.violations]).toEqual([key, []]);
    }
  }, 400_000);
});
