// Goal: C-STATE: whoever has the reference page and a stock client gives the same state as the product, byte for byte. Method: the folder
// examples/read-the-history, as processes of its own, reads runs of every kind at every revision: as bundles of `cairn run export`, from
// the stand-in of EventStoreDB, and from a real one where a server is named.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storedEventOf, type StoredEventView } from '@cairn/contracts';
import { openEsdb } from '@cairn/event-store-esdb';
import type { StoredEvent } from '@cairn/kernel';
import { systemClock, systemRandomness } from '@cairn/system';
import { EsdbStandIn, notRun } from '@cairn/testkit';
import { canon, type Fields } from '../../examples/read-the-history/encoding.mjs';
import { cairn, root } from './processes.js';
import { everyKindOfRun, type World } from './stranger/every-kind-of-run.js';

const LIMIT_MS = 240_000;
const example = join(root, 'examples/read-the-history');

describe('examples/read-the-history', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-read-'));
  const bundles = new Map<string, string>();
  /** What the product shows of each run at each revision, in canonical JSON. */
  const shown = new Map<string, readonly string[]>();
  let world: World;

  beforeAll(async () => {
    world = await everyKindOfRun(join(folder, 'data'), `ключ-${randomUUID()}`); // A real store may have been here before.
    await world.dismiss();
    for (const [name, run] of world.runs) {
      const file = join(folder, `${name}.jsonl`);
      expect(await cairn(world.data, 'run', 'export', run, '--out', file)).toMatchObject({ code: 0 });
      bundles.set(name, file);
      const { revision } = await world.get<{ revision: number }>(`runs/${run}`);
      const views: string[] = [];
      for (let at = 0; at <= revision; at++) views.push(canon(await world.get<Fields>(`runs/${run}/state?at=main@${at}`)));
      shown.set(name, views);
    }
  }, LIMIT_MS);

  afterAll(async () => {
    await world.server.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('imports node: and the stock client, and nothing of ours', () => {
    const files = readdirSync(example).filter((file) => file.endsWith('.mjs'));
    const imported = files.flatMap((file) =>
      [...readFileSync(join(example, file), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, name = '']) => name),
    );
    expect(imported.filter((name) => !/^(node:[a-z/]+|\.\/[a-z]+\.mjs|@eventstore\/db-client)$/.test(name))).toEqual([]);
    expect(imported).toContain('@eventstore/db-client');
  });

  it(
    'gives the state of an exported run at every revision, also between the events of one append',
    async () => {
      for (const [name, file] of bundles) {
        const { code, out, err } = await read(file, '--every');
        expect([name, code, err]).toEqual([name, 0, expect.stringMatching(/^\d+ events of main: ids, chain and \d+ checkpoints/)]);
        expect([name, out]).toEqual([name, shown.get(name)]);
      }
      const name = 'stranger-pays';
      const events = eventsOf(bundles.get(name));
      const within = events.find(({ metadata }) => metadata.appendCount > 2)?.revision ?? 0;
      for (const at of [0, within, within + 1]) {
        const { out } = await read(bundles.get(name) ?? '', '--at', `main@${at}`);
        const asked = await cairn(world.data, 'run', 'state', world.runs.get(name) ?? '', '--json', '--at', `main@${at}`);
        expect([at, out]).toEqual([at, [canon(JSON.parse(asked.out) as Fields)]]);
      }
    },
    LIMIT_MS,
  );

  it(
    "gives the same from the stand-in of EventStoreDB's protocol",
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
    'gives the same from EventStoreDB',
    async () => {
      const url = process.env['CAIRN_TEST_ESDB'];
      if (url === undefined) return notRun('read-the-history on EventStoreDB', 'needs a server; name one in CAIRN_TEST_ESDB');
      await readsFrom(url);
    },
    LIMIT_MS,
  );

  it('says no where a history is not what it says, or not there', async () => {
    const file = bundles.get('stranger-line') ?? '';
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

  /** Writes the runs' streams by the product's adapter and reads them by the example's stock client. */
  async function readsFrom(url: string): Promise<void> {
    const esdb = await openEsdb({ url, clock: systemClock, randomness: systemRandomness });
    try {
      for (const [name, file] of bundles) {
        const events = eventsOf(file);
        let first = 0;
        while (first < events.length) {
          const append = events.slice(first, first + (events[first]?.metadata.appendCount ?? 1));
          const stored = await esdb.store.append(events[0]?.stream ?? '', first === 0 ? 'no_stream' : first - 1, append);
          expect([name, first, stored.kind]).toEqual([name, first, 'appended']);
          first += append.length;
        }
      }
    } finally {
      await esdb.close();
    }
    for (const [name, run] of world.runs) {
      const { code, out } = await read(url, run, '--every');
      expect([name, code, out]).toEqual([name, 0, shown.get(name)]);
    }
  }
});

const eventsOf = (file = ''): StoredEvent[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"kind":"event"'))
    .map((line) => storedEventOf((JSON.parse(line) as { event: StoredEventView }).event));

/** `node read.mjs …`: its lines, and what it says of them. */
async function read(...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string[]; readonly err: string }> {
  const child = spawn(process.execPath, [join(example, 'read.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out: out.split('\n').slice(0, -1), err };
}
