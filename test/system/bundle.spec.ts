// Goal: U-19's core: a bundle is whole or says where it is not, and what was imported is shown and never acts. Method: runs of every kind
// leave one server by the command line; their bundles are damaged in every way at every line, and forged with fresh hashes; another server
// shows them, and is started again.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE_MEDIA_TYPE, BundleWriter, LineSplitter, type BundleContent, type Page, type RunView } from '@cairn/contracts';
import { openLibsqlEventStore } from '@cairn/event-store-libsql';
import { sha256Hex } from '@cairn/kernel';
import { BundleCheck, type BundleVerdict } from '@cairn/oracle';
import { waitUntil } from '@cairn/testkit';
import { call, cairn, startServer } from './processes.js';
import { everyKindOfRun, type World } from './stranger/every-kind-of-run.js';
import { workflows } from './stranger/workflows.js';

const LIMIT_MS = 300_000;
const PATIENCE_MS = 60_000;

type Content = { -readonly [K in keyof BundleContent]: BundleContent[K] } & Record<string, unknown>;
interface EventIn {
  readonly stream: string;
  readonly data: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
}

describe('bundles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bundle-'));
  const otherData = join(folder, 'other');
  const files = new Map<string, string>();
  let world: World;
  let other: Awaited<ReturnType<typeof startServer>>;

  const fileOf = (name: string): string => files.get(name) ?? '';
  const runOf = (name: string): string => world.runs.get(name) ?? '';
  const there = async <T>(path: string): Promise<T> => (await call<T>(otherData, other.url, 'GET', path)).body;

  beforeAll(async () => {
    world = await everyKindOfRun(join(folder, 'data'));
    await world.dismiss();
    for (const [name, run] of world.runs) {
      files.set(name, join(folder, `${name}.jsonl`));
      expect(await cairn(world.data, 'run', 'export', run, '--out', fileOf(name))).toMatchObject({ code: 0 });
    }
    other = await startServer(otherData);
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all([world.server.process.kill(), other.process.kill()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    'are whole by themselves, without a server, and the same every time',
    async () => {
      const nowhere = join(folder, 'no server here');
      for (const [name, run] of world.runs) {
        expect([name, verdictOf(readFileSync(fileOf(name))).findings]).toEqual([name, []]);
        expect([name, await exportOf(world.data, world.server.url, run)]).toEqual([name, sha256Hex(readFileSync(fileOf(name), 'utf8'))]);
      }
      const { code, out } = await cairn(nowhere, 'run', 'verify', fileOf('stranger-pays'), '--json');
      expect([code, JSON.parse(out)]).toEqual([0, expect.objectContaining({ run: runOf('stranger-pays'), whole: true, findings: [] })]);
      expect(await cairn(nowhere, 'run', 'verify', join(folder, 'no such file.jsonl'))).toMatchObject({ code: 3 });
    },
    LIMIT_MS,
  );

  it('name the line that was changed, left out, doubled, moved or cut off, and the rule', () => {
    for (const name of ['stranger-line', 'stranger-pays', 'stranger-open']) {
      const bytes = readFileSync(fileOf(name));
      const lines = bytes.toString('utf8').split('\n').slice(0, -1);
      const found = (left: readonly string[]): string[] => placesOf(verdictOf(Buffer.from(left.map((line) => `${line}\n`).join(''))));
      lines.forEach((line, i) => {
        const [before, after] = [lines.slice(0, i), lines.slice(i + 1)];
        const place = `${name} line ${i + 1} of ${lines.length}`;
        const isLast = i === lines.length - 1;
        const changed = line.replace(/"n":\d+/, '"n":9999');
        expect([place, found([...before, changed, ...after])]).toEqual([place, expect.arrayContaining([`${i + 1} hash`])]);
        expect([place, found([...before, ...after])]).toEqual([place, expect.arrayContaining([isLast ? `${i} end` : `${i + 1} chain`])]);
        expect([place, found([...before, line, line, ...after])]).toEqual([
          place,
          expect.arrayContaining([`${i + 2} ${isLast ? 'after_end' : 'chain'}`]),
        ]);
        if (!isLast)
          expect([place, found([...before, ...after.slice(0, 1), line, ...after.slice(1)])[0]]).toEqual([place, `${i + 1} chain`]);
        expect([place, found([...before, line.slice(0, -1), ...after])]).toEqual([place, expect.arrayContaining([`${i + 1} json`])]);
      });
      for (const cut of [1, 2, 300, bytes.length >> 1])
        expect([name, cut, placesOf(verdictOf(bytes.subarray(0, -cut))).length > 0]).toEqual([name, cut, true]);
      expect([name, placesOf(verdictOf(bytes.subarray(0, -1)))]).toEqual([name, [`${lines.length} line_end`]]);
    }
  });

  it('name the line of any bit that was turned over', () => {
    const bytes = readFileSync(fileOf('stranger-pays'));
    const step = 211; // Of some 100,000 bytes: every kind of place, and every bit of a byte, comes up.
    for (let at = 0, turned = 0; at < bytes.length; at += step, turned++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (turned % 8));
      const line = bytes.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
      const named = verdictOf(damaged).findings.map((finding) => finding.line);
      expect([at, line, named.includes(line)]).toEqual([at, line, true]);
    }
  });

  it('are seen through where somebody gave every line a fresh hash', () => {
    const forge = (name: string, change: (content: Content & { event: EventIn }) => void, when: (line: string) => boolean): string[] => {
      const lines = readFileSync(fileOf(name), 'utf8').split('\n').slice(0, -1);
      const at = lines.findIndex(when);
      expect([name, at >= 0]).toEqual([name, true]);
      const writer = new BundleWriter();
      const forged = lines.map((text, i) => {
        const { n: _n, prev: _prev, hash: _hash, ...content } = JSON.parse(text) as Content & Record<'n' | 'prev' | 'hash', unknown>;
        if (i === at) change(content as Content & { event: EventIn });
        return writer.line(content as unknown as BundleContent);
      });
      return placesOf(verdictOf(Buffer.from(forged.join('')))).map((place) => place.replace(`${at + 1} `, 'here '));
    };
    const ofType = (type: string) => (line: string) => line.includes(`"type":"${type}"`);
    expect(forge('stranger-line', ({ event }) => (event.data['output'] = 'forged'), ofType('StepSucceeded'))).toContain('here I-2');
    expect(forge('stranger-line', ({ event }) => (event.metadata['at'] = '2020-01-01T00:00:00.000Z'), ofType('StepStarted'))).toContain(
      'here I-3',
    );
    expect(forge('stranger-line', ({ event }) => (event.metadata['ns'] = 'other'), ofType('StepStarted'))).toContain('here metadata');
    expect(forge('stranger-line', ({ event }) => (event.metadata['appendCount'] = 1), ofType('RunStarted'))).toContain('here I-3');
    expect(forge('stranger-line', ({ event }) => (event.data['definition'] = {}), ofType('DefinitionApplied'))).toContain('here I-2');
    expect(forge('stranger-line', ({ event }) => (event.data['policy'] = {}), ofType('PolicyApplied'))).toContain('here I-2');
    expect(forge('stranger-line', ({ event }) => (event.data['source'] = 'forged'), ofType('EventReceived'))).toContain('here I-2');
    const artifact = (line: string): boolean => line.includes('"kind":"artifact"');
    expect(forge('stranger-line', (content) => (content['base64'] = Buffer.from('forged').toString('base64')), artifact)).toContain(
      'here digest',
    );
    expect(forge('stranger-line', (content) => (content['kind'] = 'end'), artifact).length).toBeGreaterThan(0);
  });

  it('miss nothing that a line less would take away, where the rest was chained anew', () => {
    for (const name of ['stranger-line', 'stranger-waits', 'stranger-controlled']) {
      const lines = readFileSync(fileOf(name), 'utf8').split('\n').slice(0, -1);
      lines.slice(0, -1).forEach((_, left) => {
        const writer = new BundleWriter();
        const forged = lines.slice(0, -1).flatMap((text, i) => {
          if (i === left) return [];
          const { n: _n, prev: _prev, hash: _hash, ...content } = JSON.parse(text) as Record<string, unknown>;
          return writer.line(content as unknown as BundleContent);
        });
        const says = placesOf(verdictOf(Buffer.from(forged.join('') + writer.end())));
        // The newest line of a receipt, and the newest append of a history, are no loss that anything else could tell of.
        const isNewest =
          /"type":"ReceiptSettled"/.test(lines[left] ?? '') || left === lines.findLastIndex((line) => line.includes('"kind":"event"'));
        if (!isNewest) expect([name, left + 1, says.length > 0]).toEqual([name, left + 1, true]);
      });
    }
  });

  it(
    'are shown by another server as by the one that they come from, also after it was started again',
    async () => {
      const untouched = await countOfStreams();
      const [one = ''] = world.runs.keys();
      const imported = await cairn(otherData, 'run', 'import', fileOf(one), '--json');
      expect([imported.code, JSON.parse(imported.out)]).toEqual([0, expect.objectContaining({ outcome: 'imported', run: runOf(one) })]);
      for (const [name, run] of world.runs) {
        const expected = name === one ? { status: 200, outcome: 'unchanged', run } : { status: 201, outcome: 'imported', run };
        expect([name, await post(name)]).toEqual([name, expect.objectContaining(expected)]);
        expect([name, await post(name)]).toEqual([name, expect.objectContaining({ status: 200, outcome: 'unchanged', run })]);
      }
      await areShown();
      await other.process.kill('SIGTERM');
      expect(await countOfStreams()).toEqual({ ...untouched, bundle: world.runs.size });
      other = await startServer(otherData);
      await waitUntil(
        'lists are there again',
        async () => (await there<Page<RunView>>('runs')).items.length === world.runs.size,
        PATIENCE_MS,
      );
      await areShown();
    },
    LIMIT_MS,
  );

  it(
    'let nothing happen to what they show',
    async () => {
      const run = runOf('stranger-open');
      for (const [verb, path] of [
        ['cancel', `runs/${run}:cancel`],
        ['pause', `runs/${run}:pause`],
        ['unpause', `runs/${run}:unpause`],
        ['signal', `runs/${run}/signals/go`],
      ] as const) {
        const answer = await call<{ code: string }>(otherData, other.url, 'POST', path, {});
        expect([verb, answer.status, answer.body.code]).toEqual([verb, 409, 'run_imported']);
      }
      expect(await cairn(otherData, 'run', 'cancel', run)).toMatchObject({ code: 4 });
      expect((await call<{ tasks: unknown[] }>(otherData, other.url, 'POST', 'work/nobody:poll', { waitMs: 100 })).body.tasks).toEqual([]);
      expect(await there(`waits`)).toEqual({ items: [] });
      const { says } = await there<{ says: string }>(`runs/${run}/why`);
      expect(says).toMatch(/imported/);
    },
    LIMIT_MS,
  );

  it(
    'are refused where they are not whole, or of a run that is there, or tell another story; and nothing of them is stored',
    async () => {
      const fresh = join(folder, 'fresh');
      const server = await startServer(fresh);
      try {
        const lines = readFileSync(fileOf('stranger-line'), 'utf8').split('\n');
        const broken = join(folder, 'broken.jsonl');
        writeFileSync(broken, lines.filter((_, i) => i !== 7).join('\n'));
        const refused = await cairn(fresh, 'run', 'import', broken, '--json');
        expect([refused.code, JSON.parse(refused.out)]).toEqual([
          1,
          expect.objectContaining({ code: 'bundle_invalid', errors: [expect.objectContaining({ pointer: '/lines/8', rule: 'chain' })] }),
        ]);
        expect((await call<Page<RunView>>(fresh, server.url, 'GET', 'runs')).body.items).toEqual([]);
        const own = await cairn(world.data, 'run', 'import', fileOf('stranger-line'), '--json');
        expect([own.code, JSON.parse(own.out)]).toEqual([4, expect.objectContaining({ code: 'run_exists' })]);
        const json = await call<{ code: string }>(fresh, server.url, 'POST', 'bundles', {});
        expect([json.status, json.body.code]).toEqual([415, 'media_type_unsupported']);
      } finally {
        await server.process.kill();
      }
    },
    LIMIT_MS,
  );

  it(
    'go on from one that was imported before, and never back',
    async () => {
      const run = runOf('stranger-open');
      expect(await cairn(world.data, 'run', 'cancel', run)).toMatchObject({ code: 0 });
      const longer = join(folder, 'longer.jsonl');
      expect(await cairn(world.data, 'run', 'export', run, '--out', longer)).toMatchObject({ code: 0 });
      const extended = await cairn(otherData, 'run', 'import', longer, '--json');
      expect([extended.code, JSON.parse(extended.out)]).toEqual([0, expect.objectContaining({ outcome: 'extended' })]);
      expect(await there(`runs/${run}`)).toMatchObject({ state: 'complete', sub: 'cancelled', flags: ['imported'] });
      const back = await cairn(otherData, 'run', 'import', fileOf('stranger-open'), '--json');
      expect([back.code, JSON.parse(back.out)]).toEqual([4, expect.objectContaining({ code: 'bundle_conflict' })]);
      expect((await cairn(otherData, 'run', 'export', run)).out).toBe(readFileSync(longer, 'utf8'));
    },
    LIMIT_MS,
  );

  /** `POST bundles`. */
  async function post(name: string): Promise<Record<string, unknown>> {
    const sent = {
      method: 'POST',
      headers: { ...headers(otherData), 'content-type': BUNDLE_MEDIA_TYPE },
      body: readFileSync(fileOf(name)),
    };
    const response = await fetch(`${other.url}/v1/default/bundles`, sent);
    return { status: response.status, ...((await response.json()) as object) };
  }

  it(
    'step back behind a run of that id that the store comes to have itself',
    async () => {
      const name = 'stranger-controlled';
      const run = runOf(name);
      const definition = workflows.find((workflow) => (workflow as { name: string }).name === name);
      await call(otherData, other.url, 'PUT', `definitions/${name}`, definition);
      const { key } = await there<RunView>(`runs/${run}`);
      const started = await call(otherData, other.url, 'POST', `workflows/${name}/runs`, { key, input: { key } });
      expect(started).toMatchObject({ status: 202, body: { runId: run, outcome: 'started' } });
      expect(await there(`runs/${run}`)).toMatchObject({ state: 'active', flags: [] });
      await waitUntil(
        'the list shows it, once',
        async () => {
          const { items } = await there<Page<RunView>>('runs?limit=200');
          return items.filter((row) => row.run === run && row.state === 'active').length === 1;
        },
        PATIENCE_MS,
      );
      expect(await post(name)).toMatchObject({ status: 409, code: 'run_exists' });
      expect(await cairn(otherData, 'run', 'cancel', run)).toMatchObject({ code: 0 });
      expect(await there(`runs/${run}`)).toMatchObject({ state: 'complete', sub: 'cancelled', flags: [] });
    },
    LIMIT_MS,
  );

  /** Every reading of every run answers on both servers the same, but for the flag and what follows from the clock. */
  async function areShown(): Promise<void> {
    const { items } = await there<Page<RunView>>('runs?limit=200');
    expect(items.map(({ run }) => run).sort()).toEqual([...world.runs.values()].sort());
    for (const [name, run] of world.runs) {
      const { flags: _, ...row } = await world.get<RunView>(`runs/${run}`);
      expect([name, await there(`runs/${run}`)]).toEqual([name, { ...row, flags: ['imported'] }]);
      expect(items).toContainEqual({ ...row, flags: ['imported'] });
      for (const part of ['state', `state?at=main@${row.revision >> 1}`, 'history', 'waits', 'effects', 'retries', 'result?waitMs=1000'])
        expect([name, part, await there(`runs/${run}/${part}`)]).toEqual([name, part, await world.get(`runs/${run}/${part}`)]);
      expect([name, await there(`runs/${run}/verify`)]).toEqual([name, { run, violations: [] }]);
      expect([name, await exportOf(otherData, other.url, run)]).toEqual([name, sha256Hex(readFileSync(fileOf(name), 'utf8'))]);
    }
  }

  /** How many streams of each kind the other server's store has. */
  async function countOfStreams(): Promise<Readonly<Record<string, number>>> {
    const store = await openLibsqlEventStore({ file: join(otherData, 'events.db') });
    const streams = new Set<string>();
    await new Promise<void>((caughtUp, onFault) => {
      store.tail('all', 'start', { deliver: (events) => events.forEach(({ event }) => streams.add(event.stream)), caughtUp, onFault });
    });
    await store.close();
    const kinds = [...streams].map((stream) => stream.slice(0, stream.indexOf('-')));
    return Object.fromEntries([...new Set(kinds)].map((kind) => [kind, kinds.filter((one) => one === kind).length]));
  }
});

const headers = (data: string): Record<string, string> => ({
  authorization: `Bearer ${readFileSync(join(data, 'token'), 'utf8').trim()}`,
});

/** Digest of what `GET runs/{id}/bundle` answers. */
async function exportOf(data: string, url: string, run: string): Promise<string> {
  return sha256Hex(await (await fetch(`${url}/v1/default/runs/${run}/bundle`, { headers: headers(data) })).text());
}

function verdictOf(bytes: Uint8Array): BundleVerdict {
  const check = new BundleCheck();
  const splitter = new LineSplitter();
  for (const line of splitter.push(bytes)) check.line(line);
  return check.finish(splitter.rest());
}

const placesOf = ({ findings }: BundleVerdict): string[] => findings.map(({ line, rule }) => `${line} ${rule}`);
