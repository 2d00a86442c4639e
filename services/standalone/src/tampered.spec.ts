import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmod, cp, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@cairn/kernel';
import { startStandalone, type Standalone } from './standalone.js';

/** A mark in an output that is too large for an event. */
const LARGE = 'large-output'.repeat(1_000);

interface Task {
  readonly data: { readonly lease: { readonly attemptId: string } };
}

async function call(server: Standalone, method: string, path: string, body?: unknown): Promise<{ status: number; json: JsonObject }> {
  const answer = await fetch(`${server.url}/v1/default/${path}`, {
    method,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: (await answer.json()) as JsonObject };
}

async function filesWith(folder: string, text: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name));
  const held = await Promise.all(paths.map(async (path) => (await readFile(path)).includes(text)));
  return paths.filter((_, i) => held[i]);
}

async function edit(path: string, from: string, to: string): Promise<void> {
  await chmod(path, 0o600);
  const bytes = await readFile(path);
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThanOrEqual(0);
  bytes.write(to, at);
  await writeFile(path, bytes);
}

/** Somebody edits the files while the server is down: whoever verifies is told what is damaged, and where. */
describe('an artifact folder that was tampered with', () => {
  let untouched: string;
  let run: string;
  beforeAll(async () => {
    untouched = await mkdtemp(join(tmpdir(), 'cairn-tampered-'));
    const server = await startStandalone({ data: untouched, port: 0, ns: ['default'], logLevel: 'silent' });
    await call(server, 'PUT', 'definitions/w', { cairn: 1, name: 'w', version: '1.0.0', steps: [{ id: 'a', task: { queue: 'q' } }] });
    run = (await call(server, 'POST', 'workflows/w/runs', { input: {} })).json['runId'] as string;
    const [task] = (await call(server, 'POST', 'work/q:poll', { waitMs: 30_000 })).json['tasks'] as unknown as readonly [Task];
    const { lease } = task.data;
    const reply = { specversion: '1.0', id: `${lease.attemptId}:end`, source: '/spec', type: 'cairn.reply.succeeded.v1' };
    const got = await call(server, 'POST', `work/${lease.attemptId}:reply`, { ...reply, data: { lease, output: LARGE } });
    expect(got.json).toEqual({ accepted: true });
    expect((await call(server, 'GET', `runs/${run}/verify`)).json['violations']).toEqual([]);
    await server.stop();
  });
  afterAll(() => rm(untouched, { recursive: true }));

  async function withDamage<T>(damage: (data: string) => Promise<void>, ask: (server: Standalone) => Promise<T>): Promise<T> {
    const data = await mkdtemp(join(tmpdir(), 'cairn-tampered-'));
    await cp(untouched, data, { recursive: true });
    await damage(data);
    const server = await startStandalone({ data, port: 0, ns: ['default'], logLevel: 'silent' });
    try {
      return await ask(server);
    } finally {
      await server.stop();
      await rm(data, { recursive: true });
    }
  }
  const violations = async (server: Standalone): Promise<unknown> => (await call(server, 'GET', `runs/${run}/verify`)).json['violations'];
  const artifact = async (data: string): Promise<string> => (await filesWith(join(data, 'artifacts'), LARGE))[0] ?? 'none';

  it('names the event whose artifact is another one now', async () => {
    const found = await withDamage(async (data) => edit(await artifact(data), 'large', 'small'), violations);
    expect(found).toMatchObject([{ invariant: 'I-34', branch: 'main', revision: 2 }]);
  });

  it('names the event whose artifact is gone', async () => {
    const found = await withDamage(async (data) => unlink(await artifact(data)), violations);
    expect(found).toMatchObject([{ invariant: 'I-34', branch: 'main', revision: 2 }]);
  });
});
