// Goal: what is large, what was tampered with and what was imported, on EventStoreDB: whole after the store was killed; named, and spoiling
// nothing else; shown and never acting. Method: the stack's own processes on the stand-in of EventStoreDB, whose log is edited here.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryView, RunView } from '@cairn/contracts';
import { EsdbStandIn, findNatsServer, notRun, waitUntil } from '@cairn/testkit';
import { cairn, call, root, startServer } from './processes.js';
import { startStack, type Stack } from './stack.js';

const LIMIT_MS = 300_000;
const PATIENCE_MS = 60_000;
const MIB = 1_048_576;

const waiting = {
  cairn: 1,
  name: 'waiting',
  version: '1.0.0',
  steps: [{ id: 'ring', wait: { any: [{ signal: 'go' }], deadline: '2h', onDeadline: { value: 'none' }, staleAfter: '1h' } }],
};
/** Its output is a size: one of more than 64 KiB has to be an artifact, as the step's is. */
const large = {
  cairn: 1,
  name: 'large',
  version: '1.0.0',
  steps: [{ id: 'out', task: { queue: 'large' }, input: { characters: '${input.characters}' } }],
  output: { value: '${size(steps.out.output.text)}' },
};

interface Rebuilt {
  readonly unreached: readonly string[];
  readonly folds: readonly { readonly differences: readonly string[] }[];
}

const found = findNatsServer();

describe('the stack on EventStoreDB', () => {
  if ('missing' in found) {
    it('needs a nats-server', () => notRun('the stack on EventStoreDB', found.missing));
    return;
  }
  let server: EsdbStandIn;
  let stack: Stack & { dispose(): Promise<void> };
  let folder: string;
  let services: readonly string[];
  /** A run whose history somebody edits. */
  let victim: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-event-store-db-'));
    server = await EsdbStandIn.start();
    stack = await startStack(found.path, { eventStore: server.url });
    services = [...stack.processes.keys()];
    for (const definition of [waiting, large]) {
      const file = join(folder, `${definition.name}.json`);
      writeFileSync(file, JSON.stringify(definition));
      expect(await stack.cairn('def', 'apply', file)).toMatchObject({ code: 0, err: '' });
    }
    const handler = stack.spawn('handler', [join(root, 'test/system/large-handlers.mjs')], stack.processEnv);
    await handler.said((line) => (line.startsWith('ready') ? true : undefined));
  }, LIMIT_MS);
  afterAll(async () => {
    await stack.dispose();
    await server.kill();
    rmSync(folder, { recursive: true });
  }, LIMIT_MS);

  const started = async (name: string, key: string, input: object = {}): Promise<string> => {
    const { status, json } = await stack.http<{ runId: string }>('POST', `workflows/${name}/runs`, { key, input });
    expect(status).toBe(202);
    return json.runId;
  };
  const get = async <T>(path: string): Promise<T> => (await stack.http<T>('GET', path)).json;
  const resultOf = (run: string): Promise<unknown> => get(`runs/${run}/result?waitMs=30000`);
  const violationsOf = async (run: string) =>
    (await get<{ violations: { invariant: string; revision: number }[] }>(`runs/${run}/verify`)).violations;
  const headers = (): Record<string, string> => ({ authorization: `Bearer ${stack.token}` });
  const artifact = async (digest: string): Promise<Buffer> => {
    const response = await fetch(`${stack.url}/v1/default/artifacts/${digest}`, { headers: headers() });
    return Buffer.from(await response.arrayBuffer());
  };
  const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  it(
    'keeps artifacts of megabytes whole, also when the store was killed',
    async () => {
      const bytes = randomBytes(5 * MIB);
      const put = await fetch(`${stack.url}/v1/default/artifacts`, { method: 'PUT', body: bytes, headers: headers() });
      expect([put.status, await put.json()]).toEqual([
        201,
        expect.objectContaining({ artifact: `sha256:${digestOf(bytes)}`, bytes: bytes.length }),
      ]);
      const run = await started('large', 'ana', { characters: MIB });
      expect(await resultOf(run)).toMatchObject({ outcome: 'succeeded', output: MIB });
      const { branches } = await get<HistoryView>(`runs/${run}/history`);
      const succeeded = branches[0]?.events.find(({ type }) => type === 'StepSucceeded');
      const { outputRef } = succeeded?.data as { outputRef: { artifact: string } };
      const digest = outputRef.artifact.slice('sha256:'.length);
      await server.kill();
      expect(await stack.http('GET', `artifacts/${digest}`)).toMatchObject({ status: 503 });
      await server.startAgain();
      await waitUntil('it is read again', async () => (await stack.http('GET', `runs/${run}/verify`)).status === 200, PATIENCE_MS);
      expect((await artifact(digestOf(bytes))).equals(bytes)).toBe(true);
      const text = await artifact(digest);
      expect([digestOf(text), JSON.parse(text.toString('utf8'))]).toEqual([digest, { text: 'x'.repeat(MIB) }]);
      expect(await violationsOf(run)).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'rebuilds twice at once while runs are under way; what was edited is named, and no other run is touched',
    async () => {
      victim = await started('waiting', 'victim');
      const others = await Promise.all(['a', 'b', 'c'].map((key) => started('waiting', key)));
      await waitUntil('all wait', async () => (await get<{ items: unknown[] }>('waits')).items.length === 4, PATIENCE_MS);
      edit((text) => text.replaceAll('"go"', '"no"').replaceAll('signal go', 'signal no'));
      const load = Promise.all(Array.from({ length: 10 }, (_, i) => started('large', `under-way-${i}`, { characters: 100_000 })));
      const rebuilds = await Promise.all([1, 2].map(() => stack.cairn('doctor', 'rebuild', '--json')));
      const told = rebuilds.map(({ out }) => JSON.parse(out) as Rebuilt);
      expect(told.map(({ unreached }) => unreached)).toEqual([[], []]);
      const differences = told.flatMap(({ folds }) => folds.flatMap((fold) => fold.differences));
      expect(differences.length).toBeGreaterThan(0);
      const wait = waitOf(victim);
      expect(differences.filter((line) => !line.includes(wait) && !line.includes(victim))).toEqual([]);

      for (const run of await load) expect(await resultOf(run)).toMatchObject({ outcome: 'succeeded' });
      for (const run of others) {
        expect(await stack.http('POST', `runs/${run}/signals/go`, {})).toMatchObject({ status: 202, json: { outcome: 'woke' } });
        expect(await resultOf(run)).toMatchObject({ outcome: 'succeeded' });
        expect(await violationsOf(run)).toEqual([]);
      }
      expect(await violationsOf(victim)).toContainEqual(expect.objectContaining({ invariant: 'I-2', revision: 2 }));
    },
    LIMIT_MS,
  );

  it(
    'shows what was imported, which nothing moves, also after all was started again behind an event that is none any more',
    async () => {
      const data = join(folder, 'elsewhere');
      const elsewhere = await startServer(data);
      await call(data, elsewhere.url, 'PUT', 'definitions/waiting', waiting);
      const { runId: run } = (
        await call<{ runId: string }>(data, elsewhere.url, 'POST', 'workflows/waiting/runs', { key: 'far', input: {} })
      ).body;
      const bundle = join(folder, 'bundle.jsonl');
      expect(await cairn(data, 'run', 'export', run, '--out', bundle)).toMatchObject({ code: 0 });
      await elsewhere.process.kill();
      expect(await stack.cairn('run', 'import', bundle)).toMatchObject({ code: 0 });
      const isShown = async (): Promise<void> => {
        expect(await get<RunView>(`runs/${run}`)).toMatchObject({ key: 'far', flags: ['imported'] });
        expect(await violationsOf(run)).toEqual([]);
        for (const tail of [':cancel', ':pause', ':unpause', '/signals/go'])
          expect(await stack.http('POST', `runs/${run}${tail}`, {})).toMatchObject({ status: 409, json: { code: 'run_imported' } });
      };
      await isShown();

      edit(() => '{}', 'metadata');
      await Promise.all(services.map(async (name) => stack.processes.get(name)?.end()));
      rmSync(join(stack.data, 'disposables'), { recursive: true });
      await Promise.all(services.map((name) => stack.start(name)));
      await isShown();
      expect(await violationsOf(victim)).toEqual([expect.objectContaining({ invariant: 'I-1', revision: 2 })]);
      expect(await resultOf(await started('large', 'after', { characters: MIB }))).toMatchObject({ outcome: 'succeeded' });
    },
    LIMIT_MS,
  );

  const recordOf = (run: string) => {
    const record = server.log.records.find(({ stream, type }) => stream === `run-${run}+main` && type === 'WaitOpened');
    if (record === undefined) throw new Error(`${run} waits for nothing`);
    return record;
  };
  const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
  const waitOf = (run: string): string => (JSON.parse(textOf(recordOf(run).data)) as { waitId: string }).waitId;

  /** Changes the victim's wait in the log, as no client of EventStoreDB could. */
  function edit(change: (text: string) => string, part: 'data' | 'metadata' = 'data'): void {
    const record = recordOf(victim);
    Object.assign(record, { [part]: Buffer.from(change(textOf(record[part]))) });
  }
});
