// Goal: what docs/reference/history.md promises to a stranger: every id, hash, cause and digest of real histories can be computed again
// from the text alone (C-REPLAY, C-STATE, I-1 to I-5). Method: examples/read-the-history, which imports node: and follows the text; a real
// server makes every event of this release, and what it shows of them over HTTP, by the command line and in its folder must be equal.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLibsqlEventStore } from '@cairn/event-store-libsql';
import { waitUntil } from '@cairn/testkit';
import {
  canon,
  digestOf,
  faultsOfStream,
  id,
  sha256,
  type Fields,
  type Recorded,
  type Value,
} from '../../examples/read-the-history/encoding.mjs';
import { State } from '../../examples/read-the-history/state.mjs';
import { call, root, startServer } from './processes.js';
import { faultsOfRun } from './stranger/causes.js';
import { inboxId } from './stranger/inbox-id.js';
import { replyTo, work, type Task } from './stranger/worker.js';
import { workflows } from './stranger/workflows.js';

const PATIENCE_MS = 60_000;
const LIMIT_MS = 240_000;
const KEY = 'ключ-9';

interface StateView {
  readonly state: string;
  readonly sub: string | null;
  readonly since: string;
  readonly path: Fields;
  readonly ledger: Fields;
  readonly stateDigest: string;
}

describe('a stranger reads what is stored', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-stranger-'));
  const data = join(folder, 'data');
  const runs = new Map<string, string>();
  const histories = new Map<string, readonly Recorded[]>();
  let server: Awaited<ReturnType<typeof startServer>>;
  let workers: Promise<void>[] = [];
  let over = false;
  let streams: ReadonlyMap<string, readonly Recorded[]> = new Map();

  const get = async <T>(path: string): Promise<T> => (await call<T>(data, server.url, 'GET', path)).body;
  const post = async <T>(path: string, body: unknown): Promise<T> => (await call<T>(data, server.url, 'POST', path, body)).body;
  const send = (type: string, key: string, eventData: unknown, name = type): Promise<Fields> =>
    post('events', {
      specversion: '1.0',
      id: `${name} ${key}`,
      source: '/the/ stränger',
      type,
      cairnkey: key,
      data: eventData,
      extra: 'ü',
    });
  const start = async (name: string): Promise<string> => {
    const input = { key: KEY, values: [1.5, -0, 1e-7, '\u007f'], '10': true, '9': null };
    const { runId } = await post<{ runId: string }>(`workflows/${name}/runs`, { key: KEY, input, attributes: { since: 9.5 } });
    runs.set(name, runId);
    return runId;
  };
  const until = (runId: string, state: string, step?: string): Promise<boolean> =>
    waitUntil(
      `${runId} is ${state} ${step ?? ''}`,
      async () => {
        const view = await get<StateView & { readonly path: { readonly steps: Fields } }>(`runs/${runId}/state`);
        return view.state === state && (step === undefined || (view.path.steps[step] as Fields | undefined)?.['status'] === 'waiting');
      },
      PATIENCE_MS,
    );
  /** `cairn run history --json`, as a process of its own. */
  const historyOf = async (runId: string): Promise<readonly Recorded[]> => {
    const child = spawn(process.execPath, ['services/cli/bin/cairn.js', 'run', 'history', runId, '--json', '--data', data], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
    await new Promise((resolve) => child.once('close', resolve));
    return (JSON.parse(out) as { branches: { events: Recorded[] }[] }).branches.flatMap(({ events }) => events);
  };

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

  beforeAll(async () => {
    server = await startServer(data);
    for (const definition of workflows) {
      const { name } = definition as { name: string };
      const { status, body } = await call(data, server.url, 'PUT', `definitions/${name}`, definition);
      expect([name, status, status === 201 ? '' : body]).toEqual([name, 201, '']);
    }
    workers = ['echo', 'null', 'lookalike', 'big', 'loop', 'fails', 'flaky', 'doubtful'].map((queue) =>
      work(data, server.url, queue, () => over),
    );
    for (const definition of workflows) {
      const { name } = definition as { name: string };
      if (name === 'stranger-waits') await send('stranger.kept', KEY, { '10': 1, '9': 0.30000000000000004 });
      if (name !== 'stranger-told') await start(name);
    }
    runs.set('stranger-told', id('run', 'default', 'stranger-told', `${KEY}-told`));

    const waits = runs.get('stranger-waits') ?? '';
    await until(waits, 'waiting', 'any');
    await send('stranger.one', `${KEY}!`, { n: 1 }); // A near miss.
    await send('stranger.one', KEY, { n: 0 }, 'the guard is false');
    await send('stranger.one', KEY, { n: 1, text: 'ß'.repeat(3_000) });
    await until(waits, 'waiting', 'all');
    await send('stranger.two.v3', KEY, null);
    await post(`runs/${waits}/signals/also`, { data: { '10': 'ten', '9': [] } });
    await until(waits, 'waiting', 'most');
    await send('stranger.four', KEY, 4);
    await send('stranger.three', KEY, [3]);
    const deadlines = runs.get('stranger-deadlines') ?? '';
    for (const n of [1, 2]) await post(`runs/${deadlines}/signals/vote`, { data: { n } });
    await loseAnAttempt(runs.get('stranger-lost') ?? '');

    const controlled = runs.get('stranger-controlled') ?? '';
    await until(controlled, 'active', 'hold');
    for (const verb of ['pause', 'unpause', 'cancel']) await post(`runs/${controlled}:${verb}`, { reason: `bitte ${verb} ü` });

    for (const [name, runId] of runs)
      await until(
        runId,
        name === 'stranger-blocked' || name === 'stranger-doubt' ? 'blocked' : name === 'stranger-open' ? 'waiting' : 'complete',
      );
    for (const [name, runId] of runs) histories.set(name, await historyOf(runId));
  }, LIMIT_MS);

  afterAll(async () => {
    over = true;
    await Promise.allSettled(workers);
    await server.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('meets every event of this release', () => {
    const met = [...new Set([...histories.values()].flatMap((events) => events.map(({ type }) => type)))].sort();
    const locked = Object.keys(JSON.parse(readFileSync(join(root, 'events.lock.json'), 'utf8')) as Fields);
    const ofRuns = locked
      .map((name) => name.replace(/@\d+$/, ''))
      .filter((name) => !/^(EventReceived|ReceiptSettled|EventKept|DefinitionApplied|PolicyApplied|BundleImported)/.test(name));
    expect(met).toEqual(ofRuns.sort());
  });

  it('finds each id, hash, cause and checkpoint of each run to be what the text says', () => {
    for (const [name, runId] of runs) {
      const events = histories.get(name) ?? [];
      expect([name, events.length > 2, faultsOfStream(events), faultsOfRun(runId, events)]).toEqual([name, true, [], []]);
    }
  });

  it(
    'folds at each revision what the server shows of it, and the row and the open waits at the last',
    async () => {
      const open: string[] = [];
      for (const [name, runId] of runs) {
        const events = histories.get(name) ?? [];
        const folded = new State(runId, 'main');
        let spell = folded.status;
        let totalMs = 0;
        for (const event of events) {
          folded.apply(event);
          const view = await get<Fields>(`runs/${runId}/state?at=main@${event.revision}`);
          const place = `${name}@${event.revision} ${event.type}`;
          expect([place, canon(view)]).toEqual([place, canon(folded.view)]);
          if (spell === folded.status) continue;
          if (event.revision > 0) totalMs += Date.parse(folded.status.since) - Date.parse(spell.since);
          spell = folded.status;
        }
        const row = await get<Fields>(`runs/${runId}`);
        const started = events[0]?.data ?? {};
        expect(row).toMatchObject({
          run: runId,
          workflow: name,
          version: '1.0.0',
          key: started['key'],
          goal: started['goal'],
          attributes: started['attributes'],
          head: 'main',
          revision: events.length - 1,
          state: spell.state,
          since: spell.since,
          startedAt: events[0]?.metadata['at'],
        });
        expect([name, row['endedAt']]).toEqual([
          name,
          spell.state === 'complete'
            ? events.find(({ type }) => /^Run(Completed|Failed|GaveUp|Cancelled)$/.test(type))?.metadata['at']
            : undefined,
        ]);
        if (row['endedAt'] !== undefined) expect(totalMs).toBe(Date.parse(String(row['endedAt'])) - Date.parse(String(row['startedAt'])));
        const { items } = await get<{ items: Fields[] }>(`runs/${runId}/waits`);
        expect(items.map(({ wait, state, got }) => [wait, state === 'open', (got as Fields[]).map(({ eventId }) => eventId)])).toEqual(
          events
            .filter(({ type }) => type === 'WaitOpened')
            .map(({ data: { waitId } }) => {
              const wait = folded.path.waits[String(waitId)];
              return [waitId, wait?.['open'], wait?.['got']];
            }),
        );
        open.push(...Object.keys(folded.path.waits).filter((waitId) => folded.path.waits[waitId]?.['open'] === true));
        expect((await get<{ items: Fields[] }>('runs?limit=200')).items.filter(({ run }) => run === runId)).toEqual([row]);
        expect([name, (await get<{ violations: Fields[] }>(`runs/${runId}/verify`)).violations]).toEqual([name, []]);
      }
      expect((await get<{ items: Fields[] }>('waits')).items.map(({ wait }) => String(wait)).sort()).toEqual(open.sort());
    },
    LIMIT_MS,
  );

  it('finds pins, hashes of definitions, and receipts as the text says', async () => {
    for (const [name] of runs) {
      const { definition: pinned } = (histories.get(name)?.[0]?.data ?? {}) as { definition: Fields };
      const shown = await get<{ hash: string; definition: Fields }>(`definitions/${name}?version=1.0.0`);
      expect([name, shown.hash, pinned['hash']]).toEqual([name, `sha256:${digestOf(shown.definition)}`, shown.hash]);
    }
    for (const events of histories.values())
      for (const { type, data: said, metadata } of events) {
        if (/^Run(Paused|Unpaused|Cancelled)$/.test(type))
          expect(await get<Fields>(`events/${String(metadata['causationId'])}`)).toMatchObject({ outcome: 'attached' });
        if (type !== 'WaitTriggered' || said['source'] === undefined) continue;
        const receipt = await get<Fields>(`events/${String(said['eventId'])}`);
        expect(receipt).toMatchObject({
          receiptId: said['eventId'],
          source: said['source'],
          id: said['id'],
          type: said['type'],
          outcome: 'woke',
        });
      }
  });

  it(
    'reads every stream of the folder, and every artifact that one names',
    async () => {
      over = true;
      await Promise.allSettled(workers);
      expect(JSON.parse(readFileSync(join(data, 'server.json'), 'utf8'))).toEqual({
        url: server.url,
        pid: server.process.child.pid,
        ns: 'default',
      });
      await server.process.kill('SIGTERM');
      const files = readdirSync(data).filter((name) => !/-(wal|shm)$/.test(name));
      expect(files.sort()).toEqual(['artifacts', 'events.db', 'lock.db', 'token']);
      streams = await allStreams(join(data, 'events.db'));
      for (const [stream, events] of streams) expect([stream, faultsOfStream(events)]).toEqual([stream, []]);
      for (const [name, runId] of runs) expect(streams.get(`run-${runId}+main`)).toEqual(histories.get(name));
      const everything = [...streams.values()].flat();
      for (const event of everything) {
        for (const { artifact, bytes } of refsOf(event.data)) {
          const hex = artifact.slice('sha256:'.length);
          const stored = readFileSync(join(data, 'artifacts', hex.slice(0, 2), hex.slice(2)));
          expect([event.type, sha256(stored), stored.length]).toEqual([event.type, hex, bytes]);
          expect(canon(JSON.parse(stored.toString('utf8')) as Value)).toBe(stored.toString('utf8'));
        }
        checkPlace(event, (hex) => JSON.parse(readFileSync(join(data, 'artifacts', hex.slice(0, 2), hex.slice(2)), 'utf8')) as Value);
      }
      for (const [name] of runs) {
        const { definition, policies } = streams.get(`run-${runs.get(name) ?? ''}+main`)?.[0]?.data as {
          definition: Fields;
          policies: Fields[];
        };
        for (const [kind, pin] of [['workflow', definition], ...policies.map((policy) => ['policy', policy])] as [string, Fields][])
          expect(streams.get(`${kind}-default+${String(pin['name'])}`)?.[Number(pin['revision'])]?.data).toMatchObject({
            hash: pin['hash'],
            version: pin['version'],
          });
      }
    },
    LIMIT_MS,
  );
});

/** A stream's name follows from what its events say, and so do the digests that they carry. */
function checkPlace({ stream, revision, type, data, metadata }: Recorded, artifact: (hex: string) => Value): void {
  const text = (name: string): string => String(data[name]);
  const ns = String(metadata['ns']);
  const writers: Fields = {
    receipt: 'service:scheduling',
    inbox: 'service:scheduling',
    workflow: 'user:local',
    policy: 'service:retry-policy',
  };
  const category = stream.slice(0, stream.indexOf('-'));
  if (category !== 'run') expect([stream, metadata['actor']]).toEqual([stream, writers[category]]);
  switch (type) {
    case 'EventReceived': {
      expect(stream).toBe(`receipt-${id('receipt', ns, text('source'), text('id'))}`);
      const ref = data['dataRef'] as Fields | undefined;
      const meant: Fields = {};
      for (const name of ['type', 'subject', 'key', 'dataschema', 'target', 'control', 'data'])
        if (data[name] !== undefined) meant[name] = data[name] ?? null;
      if (ref !== undefined) meant['data'] = artifact(String(ref['artifact']).slice('sha256:'.length));
      expect([stream, data['bodyDigest']]).toEqual([stream, digestOf(meant)]);
      break;
    }
    case 'EventKept':
      expect(stream).toBe(`inbox-${inboxId(ns, text('type'), text('key'))}`);
      break;
    case 'DefinitionApplied':
      expect([stream, text('hash')]).toEqual([`workflow-${ns}+${text('name')}`, `sha256:${digestOf(data['definition'] ?? null)}`]);
      break;
    case 'PolicyApplied':
      expect([stream, data['version'], text('hash')]).toEqual([
        `policy-${ns}+${text('name')}`,
        revision + 1,
        `sha256:${digestOf(data['policy'] ?? null)}`,
      ]);
      break;
  }
}

/** Every artifact that an event names in a place of its own. */
function refsOf(value: Fields): { artifact: string; bytes: number }[] {
  return Object.entries(value).flatMap(([name, member]) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return [];
    return name === 'outputRef' || name === 'dataRef' || name === 'definitionRef'
      ? [member as unknown as { artifact: string; bytes: number }]
      : name === 'reply'
        ? refsOf(member)
        : [];
  });
}

/** How an adapter lays events out is its own affair: it is asked for them, and nothing else of it is believed. */
async function allStreams(file: string): Promise<ReadonlyMap<string, readonly Recorded[]>> {
  const store = await openLibsqlEventStore({ file });
  const found = new Map<string, Recorded[]>();
  await new Promise<void>((caughtUp, onFault) => {
    const deliver = (events: readonly { readonly event: { readonly stream: string } }[]): void => {
      for (const { event } of events as unknown as readonly { event: Recorded }[]) {
        const { stream, revision, type, version, data, metadata } = event;
        found.set(stream, [...(found.get(stream) ?? []), { stream, revision, type, version, data, metadata }]);
      }
    };
    store.tail('all', 'start', { deliver, caughtUp, onFault });
  });
  await store.close();
  return found;
}
