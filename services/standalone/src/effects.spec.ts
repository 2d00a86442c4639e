// C-EFFECT, U-5 and P-6 on all services over HTTP: what became of an effect is found out before anything is tried again, by the queue that
// its step names or by a person; what has happened can be undone; and a branch undoes it before it acts again.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { GivenServer, type Got, type Task } from './spec/given-server.js';

const DEFINITION = {
  cairn: 1,
  name: 'booking',
  version: '1.0.0',
  steps: [
    { id: 'price', task: { queue: 'prices' } },
    {
      id: 'book',
      purpose: 'the guest has a room',
      effect: {
        queue: 'hotel',
        key: 'room/${run.key}', // With what a path would take for its own.
        guarantee: 'reconcile',
        reconcile: 'hotel-lookup',
        compensate: 'hotel-undo',
      },
      input: { price: '${steps.price.output}' },
    },
    { id: 'tell', task: { queue: 'mail' }, input: { booking: '${steps.book.output}' } },
  ],
};

describe('an effect', () => {
  let server: GivenServer;
  beforeAll(async () => {
    server = await GivenServer.start(DEFINITION);
  });
  afterAll(() => server.stop());

  const call = (...asked: Parameters<GivenServer['call']>): Promise<Got> => server.call(...asked);
  const pathOf = (run: string, key: string): string => `runs/${run}/effects/${encodeURIComponent(`room/${key}`)}`;
  const about = (run: string, key: string, verb: string, body?: object): Promise<Got> => call('POST', `${pathOf(run, key)}:${verb}`, body);
  const statusOf = async (run: string, key: string): Promise<JsonObject> => (await call('GET', pathOf(run, key))).json;

  async function work(queue: string, output: Json): Promise<JsonObject> {
    const task = await server.take(queue);
    expect(await server.answer(task, output)).toEqual({ accepted: true });
    return task.data;
  }

  /** Says that the attempt has failed, and does not know what happened. */
  async function fail({ data: { lease } }: Task): Promise<void> {
    const reply = { specversion: '1.0', id: `${lease.attemptId}:end`, source: '/spec/1', type: 'cairn.reply.failed.v1' };
    const failure = { bucket: 'timeout', code: 'ETIMEDOUT', message: 'no answer came' };
    await call('POST', `work/${lease.attemptId}:reply`, { ...reply, data: { lease, failure } });
  }

  const start = async (key: string): Promise<string> => {
    const { runId } = (await call('POST', 'workflows/booking/runs', { key })).json;
    await work('prices', 5);
    return String(runId);
  };
  const isIn = async (run: string, state: object): Promise<JsonObject> => {
    let shown: JsonObject = {};
    await waitUntil(`run ${run} is ${JSON.stringify(state)}`, async () => {
      shown = (await call('GET', `runs/${run}`)).json;
      return Object.entries(state).every(([name, value]) => shown[name] === value);
    });
    return shown;
  };
  const isWhole = async (run: string): Promise<void> =>
    expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });
  const succeeds = async (run: string): Promise<void> => {
    expect((await call('GET', `runs/${run}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
    await isWhole(run);
  };

  it('that is found has happened once, and its step goes on with what the target gave', async () => {
    const run = await start('found');
    await fail(await server.take('hotel'));
    const asked = await work('hotel-lookup', { found: true, result: { booking: 'B-1' } });
    expect(asked).toMatchObject({
      kind: 'reconcile',
      step: 'book/reconcile',
      input: { price: 5 },
      effect: { key: 'room/found', guarantee: 'reconcile', attempt: 1 },
    });
    expect(asked).not.toHaveProperty('claim');
    expect(await work('mail', null)).toMatchObject({ input: { booking: { booking: 'B-1' } } });
    await succeeds(run);
    expect(await statusOf(run, 'found')).toMatchObject({ status: 'confirmed', suffix: 0 });
  });

  it('that is not there is judged like any failure and goes again under its key', async () => {
    const run = await start('absent');
    await fail(await server.take('hotel'));
    await work('hotel-lookup', { found: false });
    expect(await work('hotel', { booking: 'B-2' })).toMatchObject({ attempt: 2, effect: { key: 'room/absent' } });
    await work('mail', null);
    await succeeds(run);
    const { items } = (await call('GET', `runs/${run}/retries`)).json as unknown as { readonly items: readonly JsonObject[] };
    expect(items).toMatchObject([{ step: 'book', decided: { decision: 'retry', bucket: 'timeout' } }]);
  });

  it('of which nobody can tell blocks, why says what to do, and a person says it', async () => {
    const run = await start('unclear');
    await fail(await server.take('hotel'));
    await work('hotel-lookup', { found: null });
    await isIn(run, { state: 'blocked', sub: 'effect_unknown' });
    await isWhole(run);
    const why = (await call('GET', `runs/${run}/why`)).json;
    expect(why['says']).toContain('say what you found with effect reconcile --found or --not-found and a --reason');
    expect(why['next']).toBe(`npx cairn effect reconcile ${run.slice(-8)} room/unclear`);

    expect(await about(run, 'unclear', 'reconcile')).toMatchObject({ status: 202, json: { outcome: 'attached' } });
    await work('hotel-lookup', { found: null });
    expect((await about(run, 'unclear', 'reconcile', { found: false, reason: 'nobody there has heard of it' })).status).toBe(202);
    expect(await work('hotel', { booking: 'B-3' })).toMatchObject({ attempt: 2 });
    await work('mail', null);
    await succeeds(run);
    expect((await about(run, 'unclear', 'reconcile', { found: true, reason: 'x' })).json).toMatchObject({
      status: 409,
      code: 'effect_settled',
    });
  });

  it('is undone after the end of its run, with what the target gave for it', async () => {
    const run = await start('undone');
    await work('hotel', { booking: 'B-4' });
    await work('mail', null);
    await succeeds(run);
    expect((await about(run, 'undone', 'compensate', { reason: 'the guest stays at home' })).status).toBe(202);
    expect(await work('hotel-undo', { refund: 5 })).toMatchObject({
      kind: 'compensate',
      purpose: 'the guest stays at home',
      effect: { key: 'room/undone', receipt: { booking: 'B-4' } },
    });
    expect(await statusOf(run, 'undone')).toMatchObject({ status: 'compensated' });
    expect((await call('GET', `runs/${run}`)).json).toMatchObject({ state: 'complete', sub: 'succeeded' });
    await isWhole(run);
    const again = await about(run, 'undone', 'compensate', { reason: 'again' });
    expect(again).toMatchObject({ status: 409, json: { code: 'effect_not_confirmed' } });
  });

  it('that a branch shall undo is undone before the step acts again, under the next suffix (U-5)', async () => {
    const run = await start('branched');
    await work('hotel', { booking: 'B-5' });
    await work('mail', null);
    await succeeds(run);
    const request = {
      from: { branch: 'main', at: 'price' },
      cause: 'correction',
      reason: 'the price was old',
      effects: { 'room/branched': 'compensate' },
    };
    expect((await call('POST', `runs/${run}/branches`, request)).json).toMatchObject({ branch: 'b2' });
    const undo = await server.take('hotel-undo');
    await work('prices', 7);
    expect((await call('POST', 'work/hotel:poll', { max: 1, waitMs: 0 })).json).toEqual({ tasks: [] }); // It waits until that is undone.
    await server.answer(undo, { refund: 5 });
    expect(await work('hotel', { booking: 'B-6' })).toMatchObject({ input: { price: 7 }, effect: { key: 'room/branched#1' } });
    expect(await work('mail', null)).toMatchObject({ input: { booking: { booking: 'B-6' } } });
    await succeeds(run);
    expect(await statusOf(run, 'branched')).toMatchObject({ status: 'confirmed', suffix: 1 });
  });

  it('that a branch shall ask about is asked about when the step is reached, and what people say is done (U-5)', async () => {
    const run = await start('asked');
    await work('hotel', { booking: 'B-7' });
    await work('mail', null);
    await succeeds(run);
    const request = {
      from: { branch: 'main', at: 'price' },
      cause: 'correction',
      reason: 'the price was old',
      effects: { 'room/asked': 'ask' },
    };
    expect((await call('POST', `runs/${run}/branches`, request)).json).toMatchObject({ branch: 'b2' });
    await work('prices', 8);
    await isIn(run, { state: 'in_review', sub: 'recovery' });
    const inbox = async (): Promise<readonly JsonObject[]> => ((await call('GET', 'reviews')).json as { items: JsonObject[] }).items;
    const reviewOf = async (): Promise<JsonObject | undefined> => (await inbox()).find((one) => one['run'] === run);
    const { review } = (await waitUntil('the review is in the inbox', reviewOf)) as { review: string };
    const shown = (await call('GET', `reviews/${review}`)).json;
    expect(shown).toMatchObject({ step: 'book/ask', options: [{ id: 'reuse' }, { id: 'compensate' }, { id: 'repeat' }] });
    const decision = {
      subjectDigest: shown['subjectDigest'],
      revision: shown['revision'],
      option: 'reuse',
      reason: 'the room is the same',
    };
    expect(await call('POST', `reviews/${review}:decide`, decision)).toMatchObject({ status: 200 });
    expect(await work('mail', null)).toMatchObject({ input: { booking: { booking: 'B-7' } } });
    await succeeds(run);
    expect(await statusOf(run, 'asked')).toMatchObject({ status: 'confirmed', suffix: 0 });
  });

  it('left unknown by a cancelled run is found out about all the same', async () => {
    const run = await start('cancelled');
    const task = await server.take('hotel');
    expect((await call('POST', `runs/${run}:cancel`)).status).toBe(202);
    expect((await about(run, 'cancelled', 'reconcile')).status).toBe(202);
    await work('hotel-lookup', { found: true, result: 1 });
    expect(await statusOf(run, 'cancelled')).toMatchObject({ status: 'confirmed' });
    expect(await server.answer(task, 1)).toEqual({ accepted: false, because: 'late' });
    await isWhole(run);
  });

  describe('is refused', () => {
    let run: string;
    beforeAll(async () => {
      run = await start('refused');
    });

    it.each([
      ['an outcome while it is under way', 'reconcile', { found: true, reason: 'x' }, 409, 'effect_under_way'],
      ['what happened without how that is known', 'reconcile', { found: true }, 400, 'invalid_body'],
      ['a result of what has not happened', 'reconcile', { found: false, result: 1, reason: 'x' }, 400, 'invalid_body'],
      ['a reason for a question', 'reconcile', { reason: 'x' }, 400, 'invalid_body'],
      ['an outcome that is none', 'reconcile', { found: 'yes', reason: 'x' }, 400, 'invalid_body'],
      ['a field that is none', 'reconcile', { foundIt: true }, 400, 'unknown_field'],
      ['to be undone without a reason', 'compensate', {}, 400, 'invalid_body'],
      ['to be undone before it has happened', 'compensate', { reason: 'x' }, 409, 'effect_not_confirmed'],
    ])('%s', async (_, verb, body, status, code) => {
      expect(await about(run, 'refused', verb, body)).toMatchObject({ status, json: { code } });
    });

    it('that there is not, and of a run that there is not', async () => {
      expect(await about(run, 'other', 'reconcile')).toMatchObject({ status: 404, json: { code: 'effect_not_found' } });
      expect(await about('0'.repeat(26), 'refused', 'reconcile')).toMatchObject({ status: 404, json: { code: 'run_not_found' } });
    });
  });
});
