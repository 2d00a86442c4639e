import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunEvent } from '@cairn/domain-run';
import { defaultPolicy, hashPolicy } from '@cairn/domain-retry';
import {
  idOf,
  instantOf,
  parseRunStream,
  policyStream,
  receiptStream,
  runStream,
  sealAppend,
  workflowStream,
  type DomainEvent,
  type Id,
  type JsonObject,
  type StreamName,
} from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { attemptId, BEGIN, history, told } from './spec/histories.js';
import { correctionFrom } from './spec/branched-histories.js';
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

  /** One append to a stream, of whatever kind. */
  async function stored(stream: StreamName, expected: number, ...events: readonly DomainEvent<string, number, object>[]): Promise<void> {
    const before = await rig.store.read(stream);
    const context = {
      stream,
      expected: expected === 0 ? ('no_stream' as const) : expected - 1,
      prevHash: before.at(-1)?.metadata.hash ?? '',
      ns: 'default',
      ...(parseRunStream(stream) ?? {}),
      at: instantOf(BEGIN),
      actor: 'service:spec',
      causationId: 'spec',
    };
    await rig.store.append(stream, context.expected, sealAppend(context, events as never));
  }

  /** Lists follow the store's tail. */
  function until(path: string, holds: (body: JsonObject) => boolean): Promise<JsonObject> {
    return waitUntil(`${path} holds`, async () => {
      const body = await get(path);
      return holds(body) ? body : undefined;
    });
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

  it('tells the failures of all branches, what each way on changed, and decisions with their attempts wherever they came', async () => {
    const decided = (
      step: string,
      n: number,
      decision: 'fallback' | 'reduce_scope' | 'retry_modified',
      change: JsonObject,
      expectedChange: string,
    ) => {
      const { data, ...event } = told.decided(step, n, 'retry') as Extract<RunEvent, { type: 'RetryDecided' }>;
      const justification = { rule: 'mine@3#timeout; attempts 1 of 1', newEvidence: [], expectedChange };
      return { ...event, data: { ...data, decision, justification, change } };
    };
    const fallback = decided('a', 1, 'fallback', { fallback: 0 }, 'another_handler: queue ocr-b');
    const spec = correctionFrom('main', 5);
    const superseded: DomainEvent = {
      type: 'BranchSuperseded',
      version: 1,
      data: { successor: 'b2', spec: spec as unknown as JsonObject },
    };
    await happens(
      told.started(),
      told.stepStarted('a'),
      told.stepStarted('c'),
      told.failed('a'),
      told.failed('c'),
      fallback,
      superseded as RunEvent,
    );
    await stored(
      runStream(RUN, 'b2'),
      0,
      {
        type: 'BranchOpened',
        version: 1,
        data: { ...spec, predecessor: { branch: 'main', revision: 6 }, actor: 'user:ana', shadow: false },
      },
      decided('c', 1, 'reduce_scope', { reduce: 'less' }, 'reduced_scope: path less, without c'),
      told.stepStarted('a', 2),
      told.failed('a', 2),
      decided('a', 2, 'retry_modified', { patch: [] }, 'changed_input'),
    );
    const answer = await get(`runs/${RUN}/retries`);
    const items = answer['items'] as readonly JsonObject[];
    expect(
      items.map(({ step, attempt, branch, decided: one, says }) => [step, attempt, branch, (one as JsonObject)['change'], says]),
    ).toEqual([
      [
        'a',
        1,
        'main',
        { fallback: 0 },
        'a attempt 1 failed (no), judged timeout: a declared alternative does the step from here on (another_handler: queue ocr-b): all 1 of 1 attempts that rule mine@3#timeout allows are used.',
      ],
      [
        'c',
        1,
        'main',
        { reduce: 'less' },
        expect.stringContaining('the run goes on by a reduced path (reduced_scope: path less, without c): all 1'),
      ],
      [
        'a',
        2,
        'b2',
        { patch: [] },
        'a attempt 2 failed (no), judged timeout: tried again with a change, on a branch of its own, at once by rule mine@3#timeout; attempts 1 of 1, because it expects changed_input.',
      ],
    ]);
  });

  it('tells the failures of one step, all its turns, and knows no step that the definition has not', async () => {
    const definition = { cairn: 1, name: 'w', version: '1.0.0', steps: [{ id: 'a' }, { id: 'b' }] };
    const applied = { ns: 'default', name: 'w', version: '1.0.0', hash: 'sha256:0', definition };
    await stored(workflowStream('default', 'w'), 0, { type: 'DefinitionApplied', version: 1, data: applied });
    await happens(told.started(), told.stepStarted('a#1'), told.failed('a#1'));
    const all = (await get(`runs/${RUN}/retries`))['items'];
    expect(all).toMatchObject([{ step: 'a#1' }]);
    expect(await get(`runs/${RUN}/retries?step=a`)).toEqual({ items: all });
    expect(await get(`runs/${RUN}/retries?step=a%231`)).toEqual({ items: all });
    expect(await get(`runs/${RUN}/retries?step=b`)).toEqual({ items: [] });
    expect(await get(`runs/${RUN}/retries?step=c`)).toMatchObject({ status: 404, code: 'step_not_found' });
  });

  it('says of an optional step that it was passed over, and of tries that they are used up', async () => {
    const decided = told.decided('a', 1, 'escalate') as Extract<RunEvent, { type: 'RetryDecided' }>;
    const rule = 'mine@3#timeout; attempts 1 of 1';
    const used = { ...decided, data: { ...decided.data, queue: 'triage', justification: { ...decided.data.justification, rule } } };
    await happens(told.started(), told.stepStarted('a'), told.failed('a'), used);
    const says = async (): Promise<unknown> => ((await get(`runs/${RUN}/retries`))['items'] as readonly JsonObject[])[0];
    expect(await says()).toMatchObject({
      says:
        'a attempt 1 failed (no), judged timeout: not tried again, a person is to decide, queue triage was asked: all 1 of 1 attempts that ' +
        'rule mine@3#timeout allows are used.',
    });
    expect(await says()).not.toHaveProperty('passedOver');
    await happens(told.started(), told.stepStarted('a'), told.failed('a'), used, told.skipped('a'));
    expect(await says()).toMatchObject({
      passedOver: true,
      says:
        'a attempt 1 failed (no), judged timeout: not tried again, and passed over because the step is optional: all 1 of 1 attempts that ' +
        'rule mine@3#timeout allows are used.',
    });
  });

  it('shows with an effect what its handler said when the attempt was over, which settles nothing', async () => {
    const data = { step: 'pay', attemptId: attemptId('pay', 1), replyId: 'r', reply: { kind: 'succeeded', output: 1 } } as const;
    const ofAnother = { ...data, attemptId: attemptId('other', 1) };
    await happens(
      ...effect,
      { type: 'LateResultRecorded', version: 1, data: { ...data, because: 'run_ended' } },
      { type: 'LateResultRecorded', version: 1, data: { ...ofAnother, because: 'run_ended' } },
    );
    const [shown] = (await get(`runs/${RUN}/effects`))['items'] as readonly JsonObject[];
    expect(shown).toMatchObject({ status: 'unknown' });
    expect((shown?.['history'] as readonly JsonObject[]).slice(2)).toEqual([
      {
        event: 'LateResultRecorded',
        branch: 'main',
        revision: 5,
        at: instantOf(BEGIN + 5_000),
        attemptId: attemptId('pay', 1),
        because: 'late: succeeded, run_ended',
      },
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
      says: 'No handler serves queue q, where step screen has waited for 59s; start a handler that serves queue q (README: By hand), and the run goes on.',
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
