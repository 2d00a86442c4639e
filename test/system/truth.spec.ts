// Goal: everything but the event store may be lost (C-TRUTH). Method: runs of every kind on real processes; what they say of them before
// and after checkpoints, snapshots and the whole bus are removed must be the same, and every fold made anew must be what was folded live.
// Then a checkpoint is made wrong on purpose: it must be found and mended. On the embedded default, and on the stack with each store.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileArtifacts } from '@cairn/artifacts-files';
import { metricNames, type FoldView } from '@cairn/contracts';
import { openEsdb } from '@cairn/event-store-esdb';
import { openLibsqlEventStore } from '@cairn/event-store-libsql';
import type { EventStore } from '@cairn/ports';
import { systemClock, systemRandomness } from '@cairn/system';
import { EsdbStandIn, findNatsServer, notRun, waitUntil } from '@cairn/testkit';
import { call, cairn, startServer, type Spawned } from './processes.js';
import { startStack, type Stack } from './stack.js';
import { everyKindOfRun, makeEveryKindOfRun } from './stranger/every-kind-of-run.js';

const LIMIT_MS = 300_000;
const found = findNatsServer();

interface Rebuilt {
  readonly equal: boolean;
  readonly unreached: readonly string[];
  readonly folds: readonly FoldView[];
}

/** Folds of a server, by how many processes have them. */
const EMBEDDED = {
  'execution: runs and snapshots': 1,
  'execution: working set execution': 1,
  'gateway: lists and lifecycle metrics': 1,
  'human-review: working set human-review': 1,
  'retry-policy: working set retry-policy': 1,
  'scheduling: working set scheduling': 1,
};
const TWO_REPLICAS = { ...EMBEDDED, 'execution: runs and snapshots': 2, 'execution: working set execution': 2 };

function counted({ folds }: Rebuilt): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { service, fold } of folds) counts[`${service}: ${fold}`] = (counts[`${service}: ${fold}`] ?? 0) + 1;
  return counts;
}

/** Everything that the API says of runs, and the lifecycle metrics. */
async function said(data: string, url: string, runs: Iterable<string>): Promise<Record<string, unknown>> {
  const said: Record<string, unknown> = {};
  const ask = async (path: string): Promise<void> => void (said[path] = (await call(data, url, 'GET', path)).body);
  for (const path of ['runs?limit=200', 'waits?limit=200', 'definitions', 'policies']) await ask(path);
  for (const run of runs) {
    for (const part of ['', '/state', '/history?limit=1000', '/waits', '/why', '/retries', '/effects', '/verify'])
      await ask(`runs/${run}${part}`);
    const { items = [] } = (said[`runs/${run}/effects`] ?? {}) as { readonly items?: readonly { readonly key: string }[] };
    for (const { key } of items) await ask(`runs/${run}/effects/${encodeURIComponent(key)}`);
    const { branches } = said[`runs/${run}/history?limit=1000`] as {
      branches: { events: { type: string; data: { eventId?: string; source?: string } }[] }[];
    };
    for (const { type, data: told } of branches.flatMap(({ events }) => events))
      if (type === 'WaitTriggered' && told.source !== undefined) await ask(`events/${String(told.eventId)}`);
  }
  said['metrics'] = await lifecycleMetrics(data, url);
  return JSON.parse(JSON.stringify(said, (name, value: unknown) => (name === 'says' ? agelessly(value) : value))) as Record<
    string,
    unknown
  >;
}

/** How long ago something was depends on when one asks. */
const agelessly = (says: unknown): string => String(says).replace(/\b\d+(\.\d)?(ms|s|m|h)( \d+s)?\b/g, 'a while');

const LIFECYCLE = new RegExp(
  `^(${[
    metricNames.runs,
    metricNames.runsEnded,
    metricNames.stateSeconds,
    metricNames.events,
    metricNames.retryAttempts,
    metricNames.retryResolved,
    metricNames.resumes,
    metricNames.failureToDecision,
  ].join('|')})(_bucket|_sum|_count)?[{ ]`,
);

/** Samples that are not 0, sums to the millisecond. */
async function lifecycleMetrics(data: string, url: string): Promise<readonly string[]> {
  const authorization = `Bearer ${readFileSync(join(data, 'token'), 'utf8').trim()}`;
  let text = '';
  await waitUntil('the metrics are whole', async () => {
    const response = await fetch(`${url}/metrics`, { headers: { authorization } });
    text = await response.text();
    return response.status === 200;
  });
  const samples = text.split('\n').filter((line) => LIFECYCLE.test(line));
  return samples
    .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(Number(line.slice(line.lastIndexOf(' '))).toFixed(3))] as const)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} ${value}`)
    .sort();
}

/** A line of scheduling's checkpoint is taken out, and everything that vouches for it is made to fit: artifact, name, bookmark. */
async function forgetAWait(store: EventStore, disposables: string, wait: string): Promise<void> {
  const artifacts = await createFileArtifacts(disposables);
  const name = 'working-set/scheduling';
  const bookmark = JSON.parse((await store.readBookmark(name)) ?? '') as { artifact: string };
  const lines = Buffer.from((await artifacts.get(bookmark.artifact)) ?? [])
    .toString('utf8')
    .split('\n');
  const rest = lines.filter((line) => !line.startsWith(`["wait","${wait}"`));
  expect(rest).toHaveLength(lines.length - 1);
  const artifact = await artifacts.put(Buffer.from(rest.join('\n'), 'utf8'));
  await artifacts.setName(name, artifact);
  await store.writeBookmark(name, JSON.stringify({ ...bookmark, artifact }));
}

/** The wait of a run that stays open. */
async function openWaitOf(data: string, url: string, run: string | undefined): Promise<string> {
  const { body } = await call<{ items: { wait: string; state: string }[] }>(data, url, 'GET', `runs/${String(run)}/waits`);
  return body.items.find(({ state }) => state === 'open')?.wait ?? '';
}

function mended(first: Rebuilt, wait: string): void {
  const wrong = first.folds.filter(({ equal }) => !equal);
  expect(wrong).toMatchObject([{ service: 'scheduling', fold: 'working set scheduling', equal: false, differences: [expect.any(String)] }]);
  expect(wrong[0]?.differences[0]).toMatch(new RegExp(`^\\+ \\["wait","${wait}"`));
  expect(wrong[0]?.before).not.toBe(wrong[0]?.after);
}

describe('everything but the history is lost in the embedded default', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-truth-'));
  const data = join(folder, 'data');
  let server: { process: Spawned; url: string };
  let runs: ReadonlyMap<string, string>;
  let before: Record<string, unknown>;

  const rebuild = async (): Promise<{ code: number | null; rebuilt: Rebuilt }> => {
    const { code, out } = await cairn(data, 'doctor', 'rebuild', '--json');
    return { code, rebuilt: JSON.parse(out) as Rebuilt };
  };

  beforeAll(async () => {
    const world = await everyKindOfRun(data);
    ({ server, runs } = world);
    await world.dismiss();
    before = await said(data, server.url, runs.values());
  }, LIMIT_MS);
  afterAll(async () => {
    await server.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    'and comes back as it was: every fold made anew equals the live one',
    async () => {
      const live = await rebuild();
      expect(live).toMatchObject({ code: 0, rebuilt: { equal: true, unreached: [] } });
      expect(counted(live.rebuilt)).toEqual(EMBEDDED);
      await server.process.kill('SIGTERM');
      rmSync(join(data, 'artifacts', 'names'), { recursive: true });
      server = await startServer(data);
      const after = await rebuild();
      expect(after).toMatchObject({ code: 0, rebuilt: { equal: true, unreached: [] } });
      // The same digest, whichever way the same events were folded; what runs are cached is another matter.
      const digests = ({ folds }: Rebuilt): unknown =>
        folds.filter(({ fold }) => fold !== 'runs and snapshots').map(({ service, fold, before: digest }) => [service, fold, digest]);
      expect(digests(after.rebuilt)).toEqual(digests(live.rebuilt));
      expect(await said(data, server.url, runs.values())).toEqual(before);
    },
    LIMIT_MS,
  );

  it(
    'and a checkpoint that is not what the history says is found, told and mended',
    async () => {
      const wait = await openWaitOf(data, server.url, runs.get('stranger-open'));
      await server.process.kill('SIGTERM');
      const store = await openLibsqlEventStore({ file: join(data, 'events.db'), clock: systemClock });
      await forgetAWait(store, join(data, 'artifacts'), wait);
      await store.close();
      server = await startServer(data);
      const first = await rebuild();
      expect(first.code).toBe(1);
      mended(first.rebuilt, wait);
      expect(await rebuild()).toMatchObject({ code: 0, rebuilt: { equal: true } });
      expect(await said(data, server.url, runs.values())).toEqual(before);
      await call(data, server.url, 'POST', 'events', {
        specversion: '1.0',
        id: 'at last',
        source: '/truth',
        type: 'stranger.never',
        cairnkey: 'ключ-9',
        data: {},
      });
      const run = String(runs.get('stranger-open'));
      const woken = async (): Promise<boolean> =>
        (await call<{ state: string }>(data, server.url, 'GET', `runs/${run}`)).body.state === 'complete';
      expect(await waitUntil('the wait that was forgotten is woken', woken)).toBe(true);
    },
    LIMIT_MS,
  );
});

const stores = ['libSQL', 'EventStoreDB'] as const;
describe.each(stores)('everything but the history is lost in the stack, with %s', (kind) => {
  if ('missing' in found) return it('needs a nats-server', () => notRun('the stack', found.missing));

  const esdb = process.env['CAIRN_TEST_ESDB'];
  let standIn: EsdbStandIn | undefined;
  let url = '';
  let stack: Stack & { dispose(): Promise<void> };
  let runs: ReadonlyMap<string, string>;
  let before: Record<string, unknown>;
  let disposables: string;

  beforeAll(async () => {
    if (kind === 'EventStoreDB') {
      if (esdb === undefined) standIn = await EsdbStandIn.start();
      url = esdb ?? standIn?.url ?? '';
    }
    stack = await startStack(found.path, { replicas: 2, ...(url === '' ? {} : { eventStore: url }) });
    disposables = join(stack.data, kind === 'libSQL' ? 'artifacts' : 'disposables');
    const made = await makeEveryKindOfRun(stack.data, stack.url, `truth-${Date.now()}`);
    await made.dismiss();
    runs = made.runs;
    before = await said(stack.data, stack.url, runs.values());
  }, LIMIT_MS);
  afterAll(async () => {
    await stack.dispose();
    await standIn?.kill();
  }, LIMIT_MS);

  const services = (): string[] => [...stack.processes.keys()];
  const endAll = async (names: readonly string[]): Promise<void> =>
    void (await Promise.all(names.map(async (name) => stack.processes.get(name)?.end())));
  const rebuild = async (): Promise<{ code: number; rebuilt: Rebuilt }> => {
    const { code, out, err } = await stack.cairn('doctor', 'rebuild', '--json');
    if (out === '') throw new Error(err);
    return { code, rebuilt: JSON.parse(out) as Rebuilt };
  };
  /** Does it to the store, while no service that minds is there. */
  const onStore = async (act: (store: EventStore) => Promise<void>): Promise<void> => {
    const esdbStore = kind === 'libSQL' ? undefined : await openEsdb({ url, clock: systemClock, randomness: systemRandomness });
    const store = esdbStore?.store ?? (await openLibsqlEventStore({ file: join(stack.data, 'events.db'), clock: systemClock }));
    try {
      await act(store);
    } finally {
      await (esdbStore ?? store).close();
    }
  };

  it(
    'and comes back as it was, on every replica; then a wrong checkpoint is found and mended',
    async () => {
      const names = services();
      await endAll(names);
      await stack.nats.kill();
      stack.nats.wipe();
      rmSync(kind === 'libSQL' ? join(disposables, 'names') : disposables, { recursive: true });
      await stack.nats.start();
      await stack.applyBus();
      await Promise.all(names.map((name) => stack.start(name)));
      const after = await rebuild();
      expect(after).toMatchObject({ code: 0, rebuilt: { equal: true, unreached: [] } });
      expect(counted(after.rebuilt)).toEqual(TWO_REPLICAS);
      expect(await said(stack.data, stack.url, runs.values())).toEqual(before);

      if (kind === 'libSQL') return; // A wrong checkpoint beside this store is found by the embedded default, above.
      const wait = await openWaitOf(stack.data, stack.url, runs.get('stranger-open'));
      await endAll(['scheduling']);
      await onStore((store) => forgetAWait(store, disposables, wait));
      expect((await rebuild()).rebuilt).toMatchObject({ unreached: ['scheduling'] });
      await stack.start('scheduling');
      const first = await rebuild();
      expect(first.code).toBe(1);
      mended(first.rebuilt, wait);
      expect(await rebuild()).toMatchObject({ code: 0, rebuilt: { equal: true } });
    },
    LIMIT_MS,
  );
});
