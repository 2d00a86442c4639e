// Goal: the ledger tells what happened, whatever became of the answers and of the process. Method: the process itself, killed for good.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFileSync } from 'node:fs';
import { PATIENCE_MS, waitUntil } from '../wait-until.js';
import { EffectServer } from './effect-server.js';
import type { LedgerLine } from './ledger.js';

describe('EffectServer', () => {
  let server: EffectServer;
  const ask = async (place: 'keyed' | 'plain', key: string, body = '{}', signal: AbortSignal | null = null): Promise<number> => {
    const response = await fetch(`${server.url}/${place}`, { method: 'POST', headers: { 'idempotency-key': key }, body, signal });
    return response.status;
  };
  /** Waits for an answer until the ledger has that line of this key. */
  const askUntil = async (key: string, kind: LedgerLine['kind']): Promise<unknown> => {
    const patience = new AbortController();
    const answer = ask('keyed', key, '{}', patience.signal).catch((error: unknown) => error);
    await waitUntil(`the ledger has the ${kind}`, () => server.ledger.some((line) => line.key === key && line.kind === kind));
    patience.abort();
    return answer;
  };

  beforeEach(async () => {
    server = await EffectServer.start();
  });
  afterEach(() => server.dispose());

  it('acts once for a key where it honours keys, and each time where it does not', async () => {
    for (let i = 0; i < 3; i++) expect([await ask('keyed', 'k'), await ask('plain', 'p')]).toEqual([200, 200]);
    expect(await ask('keyed', 'k', '{"other":1}')).toBe(422);
    expect(Object.fromEntries(server.effects())).toEqual({ k: 1, p: 3 });
    expect(server.ledger.filter(({ kind }) => kind === 'request')).toHaveLength(7);
  });

  it('forgets nothing when it is killed, not even behind a line that was cut off', async () => {
    await ask('keyed', 'k');
    await server.kill();
    appendFileSync(server.path, '{"kind":"eff');
    await server.startAgain();
    expect(await ask('keyed', 'k')).toBe(200);
    expect(server.effects().get('k')).toBe(1);
  });

  it('acts and says nothing, refuses, hangs or is slow, for as many requests as it was told', async () => {
    await server.behave({ behaviour: 'answer-lost', times: 1 });
    await expect(ask('keyed', 'lost')).rejects.toThrow();
    await server.behave({ behaviour: '500', times: 2 });
    expect([await ask('keyed', 'a'), await ask('keyed', 'a'), await ask('keyed', 'a')]).toEqual([500, 500, 200]);
    await server.behave({ behaviour: '429', times: 1 });
    expect(await ask('keyed', 'b')).toBe(429);
    await server.behave({ behaviour: 'hang', times: 1 });
    expect(await askUntil('c', 'request')).toMatchObject({ name: 'AbortError' });
    await server.behave({ behaviour: 'slow', ms: 2 * PATIENCE_MS });
    expect(await askUntil('d', 'effect')).toMatchObject({ name: 'AbortError' });
    expect(Object.fromEntries(server.effects())).toEqual({ lost: 1, a: 1, d: 1 });
  });
});
