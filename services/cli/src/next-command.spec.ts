// Goal: the command that `why` prints does what it says when it is pasted.
// Method: runs brought to a standstill on a server in this process; what `cairn why` prints is run as it stands, but for `npx`.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idOf, instantOf, type Json, type JsonObject } from '@cairn/kernel';
import { startStandalone, type Standalone } from '@cairn/standalone';
import { waitUntil } from '@cairn/testkit';
import { cairn } from './cairn.js';

const step = (steps: readonly JsonObject[], name: string): JsonObject => ({ cairn: 1, name, version: '1.0.0', steps });
const noDeadline = { because: 'a spec' };
const definitions = [
  step([{ id: 'work', task: { queue: 'nobody' } }], 'idle'),
  step([{ id: 'ask', task: { queue: 'asking' } }], 'asks'),
  step([{ id: 'pay', effect: { queue: 'paying', key: "payment '${run.key}'" }, purpose: 'the vendor is paid' }], 'pays'),
  step([{ id: 'go', wait: { any: [{ signal: 'go' }], noDeadline } }], 'signalled'),
  step([{ id: 'paper', wait: { any: [{ event: { type: 'dms.paper', key: '${run.key}' } }], noDeadline } }], 'papered'),
  step([{ id: 'paper', wait: { any: [{ event: { type: 'dms.paper', where: 'event.data.n == 1' } }], noDeadline } }], 'picky'),
];

/** A time that the spec does not see. */
const LATER = instantOf(Date.now() + 600_000);

interface Why {
  readonly because: readonly { readonly kind: string }[];
  readonly says: string;
  readonly next: string;
}

describe('the next command of why', () => {
  let data: string;
  let server: Standalone;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'cairn-next-'));
    server = await startStandalone({ data, port: 0, logLevel: 'silent' });
    for (const definition of definitions) await call('PUT', `definitions/${String(definition['name'])}`, definition);
  });
  afterAll(async () => {
    await server.stop();
    await rm(data, { recursive: true });
  });

  async function call(method: string, path: string, body: Json): Promise<JsonObject> {
    const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
    const response = await fetch(`${server.url}/v1/default/${path}`, { method, headers, body: JSON.stringify(body) });
    return (await response.json()) as JsonObject;
  }

  async function run(args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
    let out = '';
    const surroundings = {
      env: { CAIRN_DATA: data },
      tty: false,
      out: (text: string) => void (out += text),
      err: () => {},
      stdin: () => '',
    };
    return { code: await cairn(args, surroundings), out };
  }

  async function start(workflow: string, key = `${workflow} 1`): Promise<string> {
    await call('POST', `workflows/${workflow}/runs`, { key });
    return idOf('run', 'default', workflow, key);
  }

  /** Takes the queue's task and fails it: with a failure that no policy tries again. */
  async function fail(queue: string, failure: JsonObject): Promise<void> {
    const { tasks } = (await call('POST', `work/${queue}:poll`, { waitMs: 30_000 })) as unknown as {
      tasks: { data: { lease: JsonObject } }[];
    };
    const lease = tasks[0]?.data.lease;
    const attemptId = String(lease?.['attemptId']);
    const reply = { specversion: '1.0', id: `${attemptId}:end`, source: '/spec/1', type: 'cairn.reply.failed.v1' };
    await call('POST', `work/${attemptId}:reply`, { ...reply, data: { lease: lease ?? null, failure } });
  }

  /** What `why` says of the run once it is of that kind. */
  function why(id: string, kind: string): Promise<Why> {
    return waitUntil(`${id} is ${kind}`, async () => {
      const said = JSON.parse((await run(['why', id.slice(-8), '--json'])).out) as Why;
      return said.because[0]?.kind === kind ? said : undefined;
    });
  }

  /** The words of a printed command line, as a shell has them. */
  function words(line: string): string[] {
    expect(line).toMatch(/^npx cairn /);
    return [...line.matchAll(/(?:'[^']*'|\\'|[^\s'\\])+/g)]
      .slice(2)
      .map(([word]) =>
        word.replace(/'([^']*)'|\\(')/g, (_, quoted: string | undefined, escaped: string | undefined) => quoted ?? escaped ?? ''),
      );
  }

  const cases: readonly { readonly what: string; readonly kind: string; readonly reach: () => Promise<string>; readonly does: string }[] = [
    { what: 'shows the review', kind: 'escalated', reach: asked, does: 'why          recovery, risk low, queue ' },
    { what: 'explains the next try', kind: 'retry_due', reach: throttled, does: `new evidence  429, retry after ${LATER}` },
    { what: 'shows the effect by its key', kind: 'effect_unknown', reach: paid, does: "sent as       payment 'pays 1'" },
    { what: 'sends the signal', kind: 'waiting', reach: () => start('signalled'), does: 'woke run' },
    { what: 'sends the event', kind: 'waiting', reach: () => start('papered'), does: 'woke run' },
    { what: 'shows the wait', kind: 'waiting', reach: () => start('picky'), does: 'where event.data.n == 1' },
    { what: 'goes on with it', kind: 'paused', reach: held, does: 'unpaused run' },
  ];

  async function asked(): Promise<string> {
    const id = await start('asks');
    await fail('asking', { message: 'no such key', code: '401', bucket: 'auth' });
    return id;
  }
  async function throttled(): Promise<string> {
    const id = await start('asks', 'asks 2');
    await fail('asking', { message: 'slow down', code: '429', retryAfter: LATER });
    return id;
  }
  async function paid(): Promise<string> {
    const id = await start('pays');
    await fail('paying', { message: 'the line was cut', code: 'ECONNRESET' });
    return id;
  }
  async function held(): Promise<string> {
    const id = await start('idle');
    expect((await run(['run', 'pause', id.slice(-8), '--reason', 'month end'])).code).toBe(0);
    return id;
  }

  it.each(cases)('$what ($kind)', async ({ kind, reach, does }) => {
    const { next } = await why(await reach(), kind);
    const { code, out } = await run(words(next));
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(does) });
  });

  it('follows a run that nobody works on until somebody does', async () => {
    const id = await start('idle', 'idle 2');
    const { says, next } = await why(id, 'no_handler');
    expect(says).toContain('No handler serves queue nobody, where step work has waited for');
    const watching = run(words(next));
    await call('POST', `runs/${id}:cancel`, {});
    expect(await watching).toMatchObject({ code: 1, out: expect.stringContaining('RunCancelled') });
  });
});
