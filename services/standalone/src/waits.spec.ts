// Goal: what people do with an open wait over HTTP: ask what it would do, move its times, fire it by hand, ask why nothing woke it (C-WAKEPREVIEW,
// C-OVERRIDE, U-11). Method: all services on a libSQL file, the spec as publisher and as handler.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { GivenServer } from './spec/given-server.js';

const definition = {
  cairn: 1,
  name: 'claim',
  version: '1.0.0',
  class: 'long',
  goal: 'the claim is settled',
  steps: [
    {
      id: 'papers',
      wait: {
        all: [
          { event: { type: 'claim.paper.received', key: '${input.claim}', where: "event.data.kind == 'bill'" } },
          { event: { type: 'claim.photo.received', key: '${input.claim}', from: ['/portal'] } },
        ],
        deadline: '14d',
        staleAfter: '7d',
        guard: 'event.data.pages < 10',
        onDeadline: { value: 'nothing' },
      },
    },
    { id: 'check', task: { queue: 'checks' }, input: { got: '${steps.papers.output}' } },
    { id: 'beside', after: ['papers'], wait: { any: [{ timer: '30d' }], noDeadline: { because: 'a timer' } } },
  ],
};

interface Event extends JsonObject {
  readonly revision: number;
  readonly type: string;
  readonly data: JsonObject;
}

let given: GivenServer;
beforeAll(async () => {
  given = await GivenServer.start(definition);
});
afterAll(() => given.stop());

async function start(claim: string): Promise<{ readonly run: string; readonly wait: string }> {
  const { runId } = (await given.call('POST', 'workflows/claim/runs', { key: claim, input: { claim } })).json;
  const run = String(runId);
  const waits = await waitUntil('the run waits', async () => {
    const { items } = (await given.get(`runs/${run}/waits`)) as unknown as { readonly items: readonly { readonly wait: string }[] };
    return items.length > 0 ? items : undefined;
  });
  return { run, wait: waits[0]?.wait ?? '' };
}
const send = (id: string, type: string, key: string, data: Json, source = '/spec') =>
  given.call('POST', 'events', { specversion: '1.0', id, source, type, cairnkey: key, datacontenttype: 'application/json', data });
const eventsOf = async (run: string): Promise<readonly Event[]> => {
  const { branches } = (await given.get(`runs/${run}/history`)) as unknown as {
    readonly branches: readonly { readonly events: readonly Event[] }[];
  };
  return branches.flatMap(({ events }) => events);
};
const settled = (run: string, type: string): Promise<readonly Event[]> =>
  waitUntil(`${type} stands in the history`, async () => {
    const events = await eventsOf(run);
    return events.some((event) => event.type === type) ? events : undefined;
  });

/** The task of that run: those of others are answered on the way. */
async function taskOf(run: string): ReturnType<GivenServer['take']> {
  for (;;) {
    const task = await given.take('checks');
    if ((task as unknown as JsonObject)['cairnrun'] === run) return task;
    await given.answer(task, null);
  }
}

describe('wait preview', () => {
  it('says the digest of the state that returns and what begins: both are what then happens', async () => {
    const { run, wait } = await start('C-1');
    await send('c1-photo', 'claim.photo.received', 'C-1', { pages: 1 }, '/portal');
    await settled(run, 'WaitTriggered');
    const { status, json } = await given.call('POST', `runs/${run}/waits/${wait}:preview`, {
      event: { type: 'claim.paper.received', key: 'C-1', source: '/spec', data: { kind: 'bill', pages: 2 } },
    });
    expect([status, json['match'], json['alsoNeeded']]).toEqual([200, { trigger: 0 }, []]);
    expect(json['next']).toEqual([
      { step: 'check', does: 'starts' },
      { step: 'beside', does: 'waits' },
    ]);
    const before = await given.get(`runs/${run}/state?at=main@${String(json['revision'])}`);
    expect(json['stateDigest']).toBe(before['stateDigest']);
    const claimed = (await eventsOf(run)).find(({ type }) => type === 'CheckpointReached');
    expect(json['restores']).toEqual({ checkpoint: 'papers.wait', stateDigest: claimed?.data['stateDigest'] });

    await send('c1-bill', 'claim.paper.received', 'C-1', { kind: 'bill', pages: 2 });
    const after = (await settled(run, 'WaitSatisfied')).slice(Number(json['revision']) + 1);
    expect(after.flatMap(({ type, data }) => (type === 'StepStarted' || type === 'WaitOpened' ? [data['step']] : []))).toEqual([
      'check',
      'beside',
    ]);
  });

  it.each([
    ['the condition', { type: 'claim.paper.received', key: 'C-2', data: { kind: 'letter', pages: 1 } }, 'where'],
    ['the key', { type: 'claim.paper.received', key: 'C-3', data: { kind: 'bill', pages: 1 } }, 'key'],
    ['the sender', { type: 'claim.photo.received', key: 'C-2', source: '/else', data: { pages: 1 } }, 'sender'],
    ['the type', { type: 'claim.paper.lost', key: 'C-2' }, 'trigger'],
    ['the guard', { type: 'claim.paper.received', key: 'C-2', data: { kind: 'bill', pages: 99 } }, 'guard'],
  ])('names %s where an event would not match', async (_, event, clause) => {
    const { run } = await start('C-2');
    const { json } = await given.call('POST', `runs/${run}/waits/papers:preview`, { event });
    expect([json['match'], json['next']]).toMatchObject([{ clause }, []]);
  });

  it('says that one event in thought starts nothing while another must come, and does not say so of the wait as a whole', async () => {
    const { run } = await start('C-12');
    const event = { type: 'claim.paper.received', key: 'C-12', data: { kind: 'bill', pages: 2 } };
    const { json: one } = await given.call('POST', `runs/${run}/waits/papers:preview`, { event });
    expect(one).toMatchObject({ match: { trigger: 0 }, alsoNeeded: [1], next: [] });
    const { json: whole } = await given.call('POST', `runs/${run}/waits/papers:preview`, {});
    expect(whole).toMatchObject({ next: [{ step: 'check' }, { step: 'beside' }] });
  });

  it('refuses a wait that is none, a trigger that is none, and fields that are none', async () => {
    const { run } = await start('C-2');
    expect((await given.call('POST', `runs/${run}/waits/nowhere:preview`, {})).json).toMatchObject({ status: 404, code: 'wait_not_found' });
    expect((await given.call('POST', `runs/${run}/waits/papers:preview`, { trigger: 2 })).json).toMatchObject({
      errors: [{ pointer: '/trigger', rule: 'trigger' }],
    });
    expect((await given.call('POST', `runs/${run}/waits/papers:preview`, { trigggr: 0 })).status).toBe(400);
  });
});

describe('wait reschedule', () => {
  it('closes and opens the wait in one append, under its id, with what has come and its reason', async () => {
    const { run, wait } = await start('C-4');
    await send('c4-photo', 'claim.photo.received', 'C-4', { pages: 1 }, '/portal');
    await settled(run, 'WaitTriggered');
    const { status } = await given.call('POST', `runs/${run}/waits/${wait}:reschedule`, {
      deadline: '30d',
      reason: 'the surgery is closed',
    });
    expect(status).toBe(202);
    const events = await settled(run, 'WaitWithdrawn');
    const at = events.findIndex(({ type }) => type === 'WaitWithdrawn');
    expect(events.slice(at).map(({ type }) => type)).toEqual(['WaitWithdrawn', 'CheckpointReached', 'WaitOpened']);
    expect(events[at]?.data).toMatchObject({ waitId: wait, because: 'rescheduled', reason: 'the surgery is closed' });
    const shown = await given.get(`waits/${wait}`);
    expect(shown).toMatchObject({ state: 'open', got: [{ trigger: 1 }] });
    expect(Date.parse(String(shown['deadline'])) - Date.parse(String(shown['openedAt']))).toBe(30 * 86_400_000);

    // What came before still counts: the bill alone is what is missing.
    await send('c4-bill', 'claim.paper.received', 'C-4', { kind: 'bill', pages: 2 });
    await settled(run, 'WaitSatisfied');
    expect((await given.get(`runs/${run}/verify`))['violations']).toEqual([]);
    expect((await given.call('POST', `runs/${run}/waits/${wait}:reschedule`, { deadline: '1d', reason: 'x' })).json).toMatchObject({
      status: 409,
      code: 'wait_closed',
    });
  });

  it('to a time that has passed lets the deadline come', async () => {
    const { run } = await start('C-5');
    await given.call('POST', `runs/${run}/waits/papers:reschedule`, { deadline: '2026-01-01T00:00:00Z', reason: 'no more' });
    const expired = (await settled(run, 'WaitExpired')).find(({ type }) => type === 'WaitExpired');
    expect(expired?.data).toMatchObject({ then: { value: 'nothing' } });
  });

  it('repeated under its key is one event, whatever became of the wait', async () => {
    const { run, wait } = await start('C-6');
    const again = () =>
      given.call('POST', `runs/${run}/waits/${wait}:reschedule`, { deadline: null, reason: 'open end' }, { 'idempotency-key': 'c6' });
    const first = await again();
    expect([first.status, (await again()).json['receiptId']]).toEqual([202, first.json['receiptId']]);
    const events = await eventsOf(run);
    expect(events.filter(({ type }) => type === 'WaitWithdrawn')).toHaveLength(1);
    expect(events.at(-1)?.data).toMatchObject({ deadline: null, noDeadline: { because: 'open end', by: 'operator' } });
  });

  it.each([
    [{ reason: 'x' }, '/deadline', 'required'],
    [{ deadline: 'soon', reason: 'x' }, '/deadline', 'duration'],
    [{ staleAfter: '275760-01-01T00:00:00Z', reason: 'x' }, '/staleAfter', 'duration'],
  ])('refuses %j and names the field (B-20)', async (body, pointer, rule) => {
    const { run } = await start('C-7');
    const { status, json } = await given.call('POST', `runs/${run}/waits/papers:reschedule`, body);
    expect([status, json['errors']]).toMatchObject([422, [{ pointer, rule }]]);
  });
});

describe('wait fire', () => {
  it('overrides what the wait gives on a branch of its own, and says who and why', async () => {
    const { run, wait } = await start('C-8');
    const { status, json } = await given.call('POST', `runs/${run}/waits/${wait}:fire`, {
      data: { kind: 'bill', pages: 3 },
      reason: 'it came by fax',
    });
    expect([status, json['branch']]).toEqual([201, 'b2']);
    const task = await taskOf(run);
    expect(task.data['input']).toMatchObject({ got: [{ trigger: 0, data: { kind: 'bill', pages: 3 } }] });
    const opened = (await eventsOf(run)).find(({ type }) => type === 'BranchOpened');
    expect(opened?.data).toMatchObject({ cause: 'override', reason: 'it came by fax', actor: 'user:local' });
    expect((await given.get(`runs/${run}/verify`))['violations']).toEqual([]);
    expect((await given.call('POST', `runs/${run}/waits/${wait}:fire`, { reason: 'again' })).json).toMatchObject({ code: 'wait_closed' });
  });

  it('keeps what has come, and takes what is missing to have come', async () => {
    const { run, wait } = await start('C-12');
    await send('c12-photo', 'claim.photo.received', 'C-12', { pages: 1 }, '/portal');
    await settled(run, 'WaitTriggered');
    const fire = (body: JsonObject) => given.call('POST', `runs/${run}/waits/${wait}:fire`, { reason: 'by fax', ...body });
    expect((await fire({ trigger: 1 })).json).toMatchObject({ status: 400, errors: [{ pointer: '/trigger', rule: 'trigger' }] });
    const { fires } = (await given.call('POST', `runs/${run}/waits/${wait}:preview`, { data: { kind: 'bill' } })).json;
    expect((await fire({ data: { kind: 'bill' } })).status).toBe(201);
    const { got } = (await taskOf(run)).data['input'] as { readonly got: Json };
    expect(got).toMatchObject([
      { trigger: 1, data: { pages: 1 } },
      { trigger: 0, data: { kind: 'bill' } },
    ]);
    expect(fires).toMatchObject([
      { trigger: 1, data: { pages: 1 } },
      { trigger: 0, data: { kind: 'bill' } },
    ]);
  });

  it('repeated under its key answers with the same branch', async () => {
    const { run } = await start('C-9');
    const again = () => given.call('POST', `runs/${run}/waits/papers:fire`, { reason: 'once' }, { 'idempotency-key': 'c9' });
    const first = await again();
    expect([first.json['branch'], (await again()).json]).toEqual(['b2', first.json]);
  });
});

describe('why --not', () => {
  it('judges an event clause by clause against what the run waits for', async () => {
    const { run } = await start('C-10');
    const { json: receipt } = await send('c10', 'claim.paper.received', 'C-10', { kind: 'letter' });
    const { not } = await given.get(`runs/${run}/why?not=${String(receipt['receiptId'])}`);
    expect(not).toMatchObject([{ step: 'papers', clause: 'where', event: { type: 'claim.paper.received' } }]);
  });

  it('without an event tells what nearly moved it, or that nothing has come', async () => {
    const { run } = await start('C-11');
    const { not } = await given.get(`runs/${run}/why?not=`);
    expect(not).toMatchObject([{ step: 'papers', says: expect.stringContaining('nothing that fits has come') }]);
    expect((await given.call('GET', `runs/${run}/why?not=nobody`)).json).toMatchObject({ status: 400, code: 'invalid_query' });
    expect((await given.call('GET', `runs/${run}/why?not=${run}`)).json).toMatchObject({ status: 404, code: 'receipt_not_found' });
  });
});
