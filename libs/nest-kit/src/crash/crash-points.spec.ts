// Goal: a process dies where it is told to, at the time it is told to, and nowhere else. Method: the ports of a spec, and a process that
// really dies.
import { afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { crashPoint, onCrashPoint } from '@cairn/application';
import type { Bus, EventStore, Handle, IncomingMessage, Line, LineMessage } from '@cairn/ports';
import { waitUntil } from '@cairn/testkit';
import { busWithCrashPoints, lineWithCrashPoints } from './bus.js';
import { storeWithCrashPoints } from './store.js';
import { withCrashPoints } from './with-crash-points.js';

const store = {
  append: () => Promise.resolve({ kind: 'appended', revision: 0 }),
  writeBookmark: () => Promise.resolve(),
} as unknown as EventStore;

let handle: Handle | undefined;
const bus = {
  publish: () => Promise.resolve(),
  ask: () => Promise.resolve({}),
  consume: (_spec: unknown, given: Handle) => {
    handle = given;
    return Promise.resolve({ stop: () => Promise.resolve() });
  },
} as unknown as Bus;

let hear: ((message: LineMessage) => void) | undefined;
const line = {
  aliveAt: 'here',
  listen: (_subject: string, given: (message: LineMessage) => void) => {
    hear = given;
    return { stop: () => undefined };
  },
} as unknown as Line;

describe('crash points', () => {
  afterEach(() => onCrashPoint(undefined));

  it('cost nothing where nobody asks for a crash: the ports are those that were given', () => {
    const ports = { store, bus, line };
    expect(withCrashPoints('execution', ports, {}, onCrashPoint)).toBe(ports);
    expect(withCrashPoints('execution', ports, { CAIRN_CRASH_AT: 'execution.received:1' }, onCrashPoint)).toBe(ports); // Not in a test.
    expect(withCrashPoints('execution', ports, { NODE_ENV: 'test', CAIRN_CRASH_AT: 'scheduling.received:1' }, onCrashPoint)).toBe(ports);
    expect(() => crashPoint('decided')).not.toThrow();
  });

  it('lie before and after each append, and after the bookmark of a relay alone', async () => {
    const reached: string[] = [];
    const watched = storeWithCrashPoints(store, (hop) => reached.push(hop));
    await watched.append('run-a+main', 'no_stream', []);
    await watched.writeBookmark('working-set/x', '1');
    await watched.writeBookmark('relay/execution', '1');
    expect(reached).toEqual(['before-append', 'after-append', 'relay-bookmarked']);
  });

  it('tell what a relay says from what a service says', async () => {
    const reached: string[] = [];
    const watched = busWithCrashPoints(bus, (hop) => reached.push(hop));
    await watched.publish({ subject: 'cairn.default.evt.run.run-started.x', id: '1', body: {} });
    await watched.publish({ subject: 'cairn.default.work.q', id: '2', body: {} });
    await watched.ask({ subject: 'cairn.default.in.a.b', id: '3', body: {} }, 10);
    await waitUntil('what was asked has left', () => reached.length === 8);
    expect(reached).toEqual([
      'relay-read',
      'relay-published',
      'before-publish',
      'after-publish',
      'before-publish',
      'after-publish',
      'receipt-seen',
      'published',
    ]);
  });

  it('lie around the settlement of a message, and of a question on the line', async () => {
    const reached: string[] = [];
    await busWithCrashPoints(bus, (hop) => reached.push(hop)).consume({} as never, () => Promise.resolve({ kind: 'done' }));
    expect(await handle?.({} as IncomingMessage)).toEqual({ kind: 'done' });
    lineWithCrashPoints(line, (hop) => reached.push(hop)).listen('a', (message) => message.answer(new Uint8Array()));
    const answered: Uint8Array[] = [];
    const message = { subject: 'a', data: new Uint8Array(), answer: (data: Uint8Array) => answered.push(data) };
    hear?.({ ...message, asked: false } as unknown as LineMessage);
    hear?.({ ...message, asked: true } as unknown as LineMessage);
    await waitUntil('both acknowledgements have left', () => reached.length === 6);
    expect([reached, answered.length]).toEqual([['received', 'before-ack', 'received', 'before-ack', 'after-ack', 'after-ack'], 2]);
  });

  it('end the process by SIGKILL at the n-th time', () => {
    const program = `
      import { crashPoint, onCrashPoint } from '@cairn/application';
      import { withCrashPoints } from '@cairn/nest-kit/crash';
      withCrashPoints('execution', { store: {}, bus: {} }, process.env, onCrashPoint);
      for (let i = 1; i <= 3; i++) { console.log(i); crashPoint('decided'); }`;
    const run = (env: NodeJS.ProcessEnv) =>
      spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
        cwd: resolve(import.meta.dirname, '../..'),
        env: { ...process.env, ...env },
        encoding: 'utf8',
      });
    expect(run({ NODE_ENV: 'test', CAIRN_CRASH_AT: 'execution.decided:2' })).toMatchObject({ signal: 'SIGKILL', stdout: '1\n2\n' });
    expect(run({ NODE_ENV: 'production', CAIRN_CRASH_AT: 'execution.decided:2' })).toMatchObject({ status: 0, stdout: '1\n2\n3\n' });
  });
});
