// Goal: what docs/reference/history.md promises to a stranger: every id, hash, cause and digest of real histories can be computed again
// from the text alone, and the state at any revision, byte for byte (C-REPLAY, C-STATE, I-1 to I-5). Method: examples/read-the-history, which
// imports node: and the stock client and follows the text. A real server makes every event of this release; what the example makes of them
// in this process, and as one of its own from bundles, from the stand-in of EventStoreDB and, where a server is named, from a real one, must
// be what is shown of them over HTTP, by the command line and in the server's folder.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EsdbStandIn, notRun } from '@cairn/testkit';
import { faultsOfStream } from '../../examples/read-the-history/checks.mjs';
import { canon, digestOf, sha256, type Fields, type Recorded, type Value } from '../../examples/read-the-history/encoding.mjs';
import { State } from '../../examples/read-the-history/state.mjs';
import { cairn, root } from './processes.js';
import { faultsOfRun } from './stranger/causes.js';
import { everyKindOfRun, type World } from './stranger/every-kind-of-run.js';
import { allStreams, checkPlace, refsOf } from './stranger/places.js';
import { eventsOfBundle, importedByReader, read, writeTo } from './stranger/reader.js';

const LIMIT_MS = 300_000;
const BRANCHED = 'stranger-branches';

describe('a stranger reads what is stored', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-stranger-'));
  const data = join(folder, 'data');
  const histories = new Map<string, readonly Recorded[]>();
  /** What the product shows of each run at each revision, in canonical JSON. */
  const shown = new Map<string, readonly string[]>();
  let world: World;
  let streams: ReadonlyMap<string, readonly Recorded[]> = new Map();
  const runOf = (name: string): string => world.runs.get(name) ?? '';
  /** Branches of the run that has more than one. */
  const branches = new Map<string, readonly Recorded[]>();
  const bundleOf = (name: string): string => join(folder, `${name}.jsonl`);

  beforeAll(async () => {
    world = await everyKindOfRun(data, `ключ-${randomUUID()}`); // A real store may have been here before.
    await world.dismiss();
    for (const [name, runId] of world.runs) {
      const { out } = await cairn(data, 'run', 'history', runId, '--json');
      const { branches } = JSON.parse(out) as { branches: { events: Recorded[] }[] };
      const events = branches.flatMap((branch) => branch.events);
      histories.set(name, events);
      expect(await cairn(data, 'run', 'export', runId, '--out', bundleOf(name))).toMatchObject({ code: 0 });
      const views: string[] = [];
      for (const { revision } of events) views.push(canon(await world.get<Fields>(`runs/${runId}/state?at=main@${revision}`)));
      shown.set(name, views);
    }
    const { out } = await cairn(data, 'run', 'history', world.branched, '--json');
    for (const { branch, events } of (JSON.parse(out) as { branches: { branch: string; events: Recorded[] }[] }).branches)
      branches.set(branch, events);
    expect(await cairn(data, 'run', 'export', world.branched, '--out', bundleOf(BRANCHED))).toMatchObject({ code: 0 });
  }, LIMIT_MS);

  afterAll(async () => {
    await world.server.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('meets every event of this release', () => {
    const met = [...new Set([...histories.values(), ...branches.values()].flatMap((events) => events.map(({ type }) => type)))].sort();
    const locked = Object.keys(JSON.parse(readFileSync(join(root, 'events.lock.json'), 'utf8')) as Fields);
    const ofRuns = locked
      .map((name) => name.replace(/@\d+$/, ''))
      .filter(
        (name) =>
          !/^(EventReceived|ReceiptSettled|EventKept|DefinitionApplied|PolicyApplied|BundleImported|VoteCast|Review(Opened|Claimed|Released|Reassigned|Commented|Decided|Expired|Closed))/.test(
            name,
          ),
      );
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
        const folded = new State();
        let spell = folded.status;
        let totalMs = 0;
        for (const event of events) {
          folded.apply(event);
          const place = `${name}@${event.revision} ${event.type}`;
          expect([place, shown.get(name)?.[event.revision]]).toEqual([place, canon(folded.view)]);
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
              const wait = folded.slices.waits[String(waitId)];
              return [waitId, wait?.['open'], wait?.['got']];
            }),
        );
        open.push(...Object.keys(folded.slices.waits).filter((waitId) => folded.slices.waits[waitId]?.['open'] === true));
        expect((await world.get<{ items: Fields[] }>('runs?limit=200')).items.filter(({ run }) => run === runId)).toEqual([row]);
        expect([name, (await world.get<{ violations: Fields[] }>(`runs/${runId}/verify`)).violations]).toEqual([name, []]);
      }
      expect((await world.get<{ items: Fields[] }>('waits')).items.map(({ wait }) => String(wait)).sort()).toEqual(open.sort());
    },
    LIMIT_MS,
  );

  it('reads with node: and the stock client, and with nothing of ours', () => {
    const imported = importedByReader();
    expect(imported.filter((name) => !/^(node:[a-z/]+|\.\/[a-z]+\.mjs|@eventstore\/db-client)$/.test(name))).toEqual([]);
    expect(imported).toContain('@eventstore/db-client');
  });

  it(
    'reads exported runs by a command: each revision, also between the events of one append',
    async () => {
      for (const name of world.runs.keys()) {
        const { code, out, err } = await read(bundleOf(name), '--every');
        expect([name, code, err]).toEqual([name, 0, expect.stringMatching(/^\d+ events of main: ids, chain and \d+ checkpoints/)]);
        expect([name, out]).toEqual([name, shown.get(name)]);
      }
      const name = 'stranger-pays';
      const within = eventsOfBundle(bundleOf(name)).find(({ metadata }) => metadata.appendCount > 2)?.revision ?? 0;
      for (const at of [0, within, within + 1]) {
        const { out } = await read(bundleOf(name), '--at', `main@${at}`);
        const asked = await cairn(data, 'run', 'state', runOf(name), '--json', '--at', `main@${at}`);
        expect([at, out]).toEqual([at, [canon(JSON.parse(asked.out) as Fields)]]);
      }
    },
    LIMIT_MS,
  );

  /** Runs that the product's adapter has written there, read by the example's stock client. */
  async function readsFrom(url: string): Promise<void> {
    await writeTo(
      url,
      [...world.runs.keys()].map((name) => eventsOfBundle(bundleOf(name))),
    );
    for (const [name, run] of world.runs) {
      const { code, out } = await read(url, run, '--every');
      expect([name, code, out]).toEqual([name, 0, shown.get(name)]);
    }
  }

  it(
    "reads the same from the stand-in of EventStoreDB's protocol",
    async () => {
      const standIn = await EsdbStandIn.start();
      try {
        await readsFrom(standIn.url);
      } finally {
        await standIn.kill();
      }
    },
    LIMIT_MS,
  );

  it(
    'reads the same from EventStoreDB',
    async () => {
      const url = process.env['CAIRN_TEST_ESDB'];
      if (url === undefined) return notRun('read-the-history on EventStoreDB', 'needs a server; name one in CAIRN_TEST_ESDB');
      await readsFrom(url);
    },
    LIMIT_MS,
  );

  it(
    'folds each branch at each revision to what the server shows of it, from a bundle and from the stand-in (C-STATE)',
    async () => {
      expect([...branches.keys()]).toEqual(['main', 'b2', 'b3', 'b4', 'b5']);
      const standIn = await EsdbStandIn.start();
      try {
        const stored = eventsOfBundle(bundleOf(BRANCHED));
        await writeTo(
          standIn.url,
          [...branches.keys()].map((branch) => stored.filter(({ metadata }) => metadata.branch === branch)),
        );
        for (const [branch, events] of branches) {
          const views: string[] = [];
          for (const { revision } of events)
            views.push(canon(await world.get<Fields>(`runs/${world.branched}/state?at=${branch}@${revision}`)));
          for (const source of [[bundleOf(BRANCHED)], [standIn.url, world.branched]]) {
            const { code, out, err } = await read(...(source as [string]), '--at', branch, '--every');
            expect([branch, code, err, out]).toEqual([branch, 0, expect.stringContaining(`events of ${branch}: ids, chain and`), views]);
          }
        }
      } finally {
        await standIn.kill();
      }
      expect(faultsOfStream(branches.get('b5') ?? [], Object.fromEntries(branches))).toEqual([]);
      expect((await world.get<{ violations: Fields[] }>(`runs/${world.branched}/verify`)).violations).toEqual([]);
    },
    LIMIT_MS,
  );

  it('is told no where a history is not what it says, or not there', async () => {
    const file = bundleOf('stranger-line');
    expect(await read(file, '--at', 'main@9999')).toMatchObject({ code: 1, out: [], err: expect.stringContaining('no main@9999') });
    expect(await read(file, '--at', 'b2')).toMatchObject({ code: 1, out: [] });
    const lines = readFileSync(file, 'utf8').split('\n');
    const broken = join(folder, 'broken.jsonl');
    const tampered: Readonly<Record<string, string[]>> = {
      changed: lines.map((line, i) => (i === 6 ? line.replace('"kind":"event"', '"kind":"Event"') : line)),
      'left out': lines.filter((_, i) => i !== 7),
      'cut off': lines.slice(0, -2),
    };
    for (const [how, left] of Object.entries(tampered)) {
      writeFileSync(broken, left.join('\n'));
      expect([how, await read(broken)]).toEqual([how, expect.objectContaining({ code: 1, out: [] })]);
    }
  });

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
      expect(JSON.parse(readFileSync(join(data, 'server.json'), 'utf8'))).toEqual({
        url: server.url,
        pid: server.process.child.pid,
        ns: 'default',
      });
      await server.process.kill('SIGTERM');
      const files = readdirSync(data).filter((name) => !/-(wal|shm)$/.test(name));
      expect(files.sort()).toEqual(['artifacts', 'callback-keys', 'events.db', 'lock.db', 'token']);
      streams = await allStreams(join(data, 'events.db'));
      for (const [stream, events] of streams) expect([stream, faultsOfStream(events, Object.fromEntries(branches))]).toEqual([stream, []]);
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
