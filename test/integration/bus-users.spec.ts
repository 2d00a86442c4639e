// `cairn bus keys` and `cairn bus permissions`: what an operator does before the first start, and that a real server takes it.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { handlerUser } from '@cairn/contracts';
import { findNatsServer, notRun, RunningNats } from '@cairn/testkit';
import { cairn } from './spec/command-line.js';
import { connect } from './spec/nats.js';

const users = ['--handlers', 'acme', 'payers@acme/paying,booking', '--publisher', 'acme'];
const found = findNatsServer();

describe('users of the bus', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-users-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes seeds that their owner alone can read, and never replaces one', async () => {
    const { code, json } = await cairn(['bus', 'keys', join(folder, 'keys'), '--json', ...users]);
    expect(code).toBe(0);
    const { keys } = json<{ keys: readonly { user: string; publicKey: string; seedFile: string; inboxPrefix: string }[] }>();
    expect(keys.map(({ user }) => user)).toEqual([
      'execution',
      'scheduling',
      'retry-policy',
      'human-review',
      'gateway',
      'bus',
      'handlers-acme',
      'payers-acme',
      'publisher-acme',
    ]);
    for (const { seedFile, publicKey } of keys) {
      expect(statSync(seedFile).mode & 0o777).toBe(0o600);
      expect(readFileSync(seedFile, 'utf8')).toMatch(/^SU[A-Z2-7]{56}\n$/);
      expect(publicKey).toMatch(/^U[A-Z2-7]{55}$/);
    }
    const again = await cairn(['bus', 'keys', join(folder, 'keys'), ...users]);
    expect(again).toMatchObject({ code: 4, out: '' });
    expect(again.err).toContain('is there already; nothing was written');
  });

  it('is taken by a real server, with the shipped configuration', async () => {
    if ('missing' in found) return notRun('users of the bus', found.missing);
    cpSync(resolve(import.meta.dirname, '../../deploy/nats'), folder, { recursive: true });
    writeFileSync(join(folder, 'permissions.conf'), (await cairn(['bus', 'permissions', ...users])).out);
    await cairn(['bus', 'keys', join(folder, 'keys'), ...users]);
    const env = Object.fromEntries(
      readFileSync(join(folder, 'keys', 'nkeys.env'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('=', 2) as [string, string]),
    );
    const nats = await RunningNats.start(found.path, { config: join(folder, 'nats-server.conf'), env });
    try {
      const { name, inboxPrefix } = handlerUser('acme', [], 'payers');
      const nkeySeed = readFileSync(join(folder, 'keys', `${name}.seed`), 'utf8').trim();
      const connection = await connect(nats.url, { credentials: { nkeySeed }, inboxPrefix });
      await connection.close();
    } finally {
      await nats.dispose();
    }
  });

  it.each([
    [['--handlers', 'ACME'], "--handlers: 'ACME' is no namespace."],
    [['--handlers', 'acme/not a queue'], "--handlers: 'not a queue' is no name of a queue."],
    [['--handlers', 'acme', 'acme/paying'], 'handlers-acme is named twice'],
    [['--publisher', '*'], "--publisher: '*' is no namespace."],
  ])('refuses %j', async (args, says) => {
    const { code, out, err } = await cairn(['bus', 'permissions', ...args]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(says);
  });
});
