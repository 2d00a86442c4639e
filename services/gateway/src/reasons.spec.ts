import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunEvent } from '@cairn/domain-run';
import { defaultPolicy, hashPolicy } from '@cairn/domain-retry';
import {
  idOf,
  instantOf,
  policyStream,
  receiptStream,
  sealAppend,
  type DomainEvent,
  type Id,
  type JsonObject,
  type StreamName,
} from '@cairn/kernel';
import { attemptId, BEGIN, history, told } from './spec/histories.js';
import { openRig, type Rig } from './spec/rig.js';

const RUN: Id = idOf('run', 'default', 'w', 'V-1');
/** A key as bad as keys may be: everything that means something in a path. */
const KEY = `pay/V-1 ?#%2F:${'ü'.repeat(240)}`;

describe('why a run is where it is, over HTTP', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await openRig();
  });
  afterEach(() => rig.close());

  const get = async (path: string): Promise<JsonObject> => (await rig.send({ path: `/v1/default/${path}` })).json;

  async function happens(...events: readonly RunEvent[]): Promise<void> {
    for (const event of history(RUN, events)) {
      await rig.store.append(event.stream, event.revision === 0 ? 'no_stream' : event.revision - 1, [event]);
    }
  }

  /** One append to a stream that belongs to no run. */
  async function stored(stream: StreamName, expected: number, ...events: readonly DomainEvent<string, number, object>[]): Promise<void> {
    const before = await rig.store.read(stream);
    const context = {
      stream,
      expected: expected === 0 ? ('no_stream' as const) : expected - 1,
      prevHash: before.at(-1)?.metadata.hash ?? '',
      ns: 'default',
      at: instantOf(BEGIN),
      actor: 'service:spec',
      causationId: 'spec',
    };
    await rig.store.append(stream, context.expected, sealAppend(context, events as never));
  }

  /** Bounded: lists follow the store's tail. */
  async function until(path: string, holds: (body: JsonObject) => boolean): Promise<JsonObject> {
    for (let tries = 0; tries < 200; tries++) {
      const body = await get(path);
      if (holds(body)) return body;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`${path} never held`);
  }

  const ofEffect = { key: KEY, suffix: 0, step: 'pay', attemptId: attemptId('pay', 1) };
  const effect: readonly RunEvent[] = [
    told.started(),
    told.stepStarted('pay'),
    { type: 'EffectIntended', version: 1, data: { ...ofEffect, fingerprint: 'f1', guarantee: 'idempotent' } },
    told.failed('pay'),
    { type: 'EffectUnknown', version: 1, data: { ...ofEffect, because: 'the handler was lost' } },
  ];

  it('tells each failure with what was made of it, and none before it was judged (C-WHYRETRY)', async () => {
    await happens(
      told.started(),
      told.stepStarted('a'),
      told.failed('a'),
      told.decided('a', 1, 'retry'),
      told.stepStarted('a', 2),
      told.failed('a', 2),
    );
    expect((await get(`runs/${RUN}/retries`))['items']).toEqual([
      {
        step: 'a',
        attempt: 1,
        attemptId: attemptId('a', 1),
        branch: 'main',
        revision: 2,
        failedAt: instantOf(BEGIN + 2_000),
        failure: { by: 'handler', message: 'no', sideEffect: 'none' },
        decided: {
          revision: 3,
          at: instantOf(BEGIN + 3_000),
          bucket: 'timeout',
          decision: 'retry',
          justification: { rule: 'r', newEvidence: [], expectedChange: null },
          policy: expect.objectContaining({ name: 'default', version: 1 }),
        },
        says: 'a attempt 1 failed (no), judged timeout: tried again at once by rule r, because it expects nothing new.',
      },
      expect.objectContaining({ attempt: 2, revision: 5, says: 'a attempt 2 failed (no): retry-policy has not judged it yet.' }),
    ]);
  });

  it('shows the ledger of effects, and each by its key whatever stands in it', async () => {
    await happens(...effect);
    const [shown] = (await get(`runs/${RUN}/effects`))['items'] as readonly JsonObject[];
    expect(shown).toMatchObject({
      run: RUN,
      key: KEY,
      suffix: 0,
      status: 'unknown',
      fingerprint: 'f1',
      guarantee: 'idempotent',
      step: 'pay',
    });
    expect(shown?.['history']).toMatchObject([
      { event: 'EffectIntended', branch: 'main', revision: 2, attemptId: attemptId('pay', 1) },
      { event: 'EffectUnknown', revision: 4, because: 'the handler was lost' },
    ]);
    expect(await get(`runs/${RUN}/effects/${encodeURIComponent(KEY)}`)).toEqual(shown);
    expect(await get(`runs/${RUN}/effects/other`)).toMatchObject({ status: 404, code: 'effect_not_found' });
  });

  it('says who has the ball, from the history and from who is connected (U-11)', async () => {
    await happens(told.started(), told.stepStarted('screen'));
    expect(await get(`runs/${RUN}/why`)).toEqual({
      run: RUN,
      state: 'active',
      since: instantOf(BEGIN),
      says: 'No handler serves queue q, where step screen has waited for 59s; start one, and the run goes on.',
      next: `npx cairn run watch ${RUN.slice(-8)}`,
      because: [expect.objectContaining({ kind: 'no_handler', step: 'screen', queue: 'q', attemptId: attemptId('screen', 1) })],
    });
    expect(await get(`runs/${RUN}/why?not=1`)).toMatchObject({ status: 400, code: 'invalid_query' });
  });

  it('says which event nearly woke the run, and where it failed (U-11)', async () => {
    await happens(told.started(), told.waitOpened(RUN, 'documents'));
    const receiptId = idOf('receipt', 'default', '/dms', 'd1');
    const received = {
      receiptId,
      source: '/dms',
      id: 'd1',
      type: 'dms.document.received',
      key: 'V-2',
      extensions: {},
      bodyDigest: 'd'.repeat(64),
      via: 'bus',
    };
    const miss = { run: RUN, wait: 'documents', clause: 'key', expected: 'V-1', got: 'V-2' };
    await stored(
      receiptStream(receiptId),
      0,
      { type: 'EventReceived', version: 1, data: received },
      { type: 'ReceiptSettled', version: 1, data: { receiptId, outcome: 'near_miss', runs: [], nearMisses: [miss] } },
    );
    const { says } = await until(`runs/${RUN}/why`, (body) => String(body['says']).includes('nearly'));
    expect(says).toContain('dms.document.received from "/dms" 1m 00s ago nearly woke it: key expected "V-1", got "V-2".');
  });

  it('lists policies, and shows each version', async () => {
    const applied = (version: number): DomainEvent<string, number, object> => ({
      type: 'PolicyApplied',
      version: 1,
      data: { ns: 'default', name: 'default', version, hash: hashPolicy(defaultPolicy), policy: defaultPolicy },
    });
    await stored(policyStream('default', 'default'), 0, applied(1));
    await stored(policyStream('default', 'default'), 1, applied(2));
    const summary = { name: 'default', version: 2, hash: hashPolicy(defaultPolicy), revision: 1, appliedAt: instantOf(BEGIN) };
    const listed = await until('policies', ({ items }) => (items as readonly JsonObject[])[0]?.['version'] === 2);
    expect(listed).toEqual({ items: [summary] });
    expect(await get('policies/default')).toEqual({ ...summary, policy: defaultPolicy });
    expect(await get('policies/default?version=1')).toMatchObject({ version: 1, revision: 0 });
    expect(await get('policies/default?version=3')).toMatchObject({ status: 404, code: 'policy_not_found' });
    expect((await rig.send({ path: '/v1/acme/policies' })).json).toEqual({ items: [] });
  });
});
