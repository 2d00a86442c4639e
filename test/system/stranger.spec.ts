// Goal: what docs/reference/history.md promises to a stranger: every id, hash, cause and digest of real histories can be computed again
// from the text alone (C-REPLAY, C-STATE, I-1 to I-5). Method: examples/read-the-history, which imports node: and follows the text; a real
// server makes every event of this release, and what it shows of them over HTTP, by the command line and in its folder must be equal.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLibsqlEventStore } from '@cairn/event-store-libsql';
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
import { cairn, root } from './processes.js';
import { faultsOfRun } from './stranger/causes.js';
import { inboxId } from './stranger/inbox-id.js';
import { everyKindOfRun, type World } from './stranger/every-kind-of-run.js';

const LIMIT_MS = 240_000;

describe('a stranger reads what is stored', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-stranger-'));
  const data = join(folder, 'data');
  const histories = new Map<string, readonly Recorded[]>();
  let world: World;
  let streams: ReadonlyMap<string, readonly Recorded[]> = new Map();

  beforeAll(async () => {
    world = await everyKindOfRun(data);
    for (const [name, runId] of world.runs) {
      const { out } = await cairn(data, 'run', 'history', runId, '--json');
      const { branches } = JSON.parse(out) as { branches: { events: Recorded[] }[] };
      histories.set(
        name,
        branches.flatMap(({ events }) => events),
      );
    }
  }, LIMIT_MS);

  afterAll(async () => {
    await world.dismiss();
    await world.server.process.kill();
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
    for (const [name, runId] of world.runs) {
      const events = histories.get(name) ?? [];
      expect([name, events.length > 2, faultsOfStream(events), faultsOfRun(runId, events)]).toEqual([name, true, [], []]);
    }
  });

  it(
    'folds at each revision what the server shows of it, and the row and the open waits at the last',
    async () => {
      const open: string[] = [];
      for (const [name, runId] of world.runs) {
        const events = histories.get(name) ?? [];
        const folded = new State(runId, 'main');
        let spell = folded.status;
        let totalMs = 0;
        for (const event of events) {
          folded.apply(event);
          const view = await world.get<Fields>(`runs/${runId}/state?at=main@${event.revision}`);
          const place = `${name}@${event.revision} ${event.type}`;
          expect([place, canon(view)]).toEqual([place, canon(folded.view)]);
          if (spell === folded.status) continue;
          if (event.revision > 0) totalMs += Date.parse(folded.status.since) - Date.parse(spell.since);
          spell = folded.status;
        }
        const row = await world.get<Fields>(`runs/${runId}`);
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
        const { items } = await world.get<{ items: Fields[] }>(`runs/${runId}/waits`);
        expect(items.map(({ wait, state, got }) => [wait, state === 'open', (got as Fields[]).map(({ eventId }) => eventId)])).toEqual(
          events
            .filter(({ type }) => type === 'WaitOpened')
            .map(({ data: { waitId } }) => {
              const wait = folded.path.waits[String(waitId)];
              return [waitId, wait?.['open'], wait?.['got']];
            }),
        );
        open.push(...Object.keys(folded.path.waits).filter((waitId) => folded.path.waits[waitId]?.['open'] === true));
        expect((await world.get<{ items: Fields[] }>('runs?limit=200')).items.filter(({ run }) => run === runId)).toEqual([row]);
        expect([name, (await world.get<{ violations: Fields[] }>(`runs/${runId}/verify`)).violations]).toEqual([name, []]);
      }
      expect((await world.get<{ items: Fields[] }>('waits')).items.map(({ wait }) => String(wait)).sort()).toEqual(open.sort());
    },
    LIMIT_MS,
  );

  it('finds pins, hashes of definitions, and receipts as the text says', async () => {
    for (const [name] of world.runs) {
      const { definition: pinned } = (histories.get(name)?.[0]?.data ?? {}) as { definition: Fields };
      const shown = await world.get<{ hash: string; definition: Fields }>(`definitions/${name}?version=1.0.0`);
      expect([name, shown.hash, pinned['hash']]).toEqual([name, `sha256:${digestOf(shown.definition)}`, shown.hash]);
    }
    for (const events of histories.values())
      for (const { type, data: said, metadata } of events) {
        if (/^Run(Paused|Unpaused|Cancelled)$/.test(type))
          expect(await world.get<Fields>(`events/${String(metadata['causationId'])}`)).toMatchObject({ outcome: 'attached' });
        if (type !== 'WaitTriggered' || said['source'] === undefined) continue;
        const receipt = await world.get<Fields>(`events/${String(said['eventId'])}`);
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
      const { server } = world;
      await world.dismiss();
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
      for (const [name, runId] of world.runs) expect(streams.get(`run-${runId}+main`)).toEqual(histories.get(name));
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
      for (const [name] of world.runs) {
        const { definition, policies } = streams.get(`run-${world.runs.get(name) ?? ''}+main`)?.[0]?.data as {
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
