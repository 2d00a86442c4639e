// B-47 and B-48 on all services over HTTP: a person goes back, and nothing about what happened since is decided in silence.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '@cairn/kernel';
import { GivenServer, type Got } from './spec/given-server.js';
import { paying } from './spec/paying.js';

const CORRECTION = {
  from: { branch: 'main', at: 'screen' },
  cause: 'correction',
  reason: 'the list was old',
  changes: [{ op: 'replace', path: '/steps/screen/params/list', value: 'new' }],
};

describe('a branch that a person opens', () => {
  let server: GivenServer;
  beforeAll(async () => {
    server = await GivenServer.start(paying);
  });
  afterAll(() => server.stop());

  const call = (...asked: Parameters<GivenServer['call']>): Promise<Got> => server.call(...asked);

  /** Takes the next task of a queue and answers it; resolves with what the handler was given. */
  async function work(queue: string, output: Json): Promise<JsonObject> {
    const task = await server.take(queue);
    await server.answer(task, output);
    return task.data;
  }

  /** A run that has screened, paid, filed, and ended. */
  async function complete(key: string): Promise<string> {
    const { runId } = (await call('POST', 'workflows/paying/runs', { key })).json;
    await work('screening', { risk: 1 });
    await work('payments', { booking: `B-${key}` });
    await work('filing', 'done');
    const run = String(runId);
    expect((await call('GET', `runs/${run}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
    return run;
  }

  it('is refused with its plan until the payment is chosen for, then goes on, and pays nothing', async () => {
    const run = await complete('once');
    const effects = { 'payment-once': 'reuse' };
    const plan = await call('POST', `runs/${run}/branches:plan`, CORRECTION);
    expect(plan).toMatchObject({
      status: 200,
      json: {
        fork: 'main@0',
        keeps: [],
        reruns: ['screen', 'pay', 'file'],
        unresolved: ['effects/payment-once'],
        problems: [],
        forecast: { sample: 0, usd: null, seconds: null, completed: null }, // No other run of it has ended yet.
      },
    });
    const refused = await call('POST', `runs/${run}/branches`, CORRECTION);
    expect(refused).toMatchObject({ status: 422, json: { code: 'branch_refused', plan: { unresolved: ['effects/payment-once'] } } });
    const opened = await call('POST', `runs/${run}/branches`, { ...CORRECTION, effects });
    expect(opened).toMatchObject({ status: 201, json: { run, branch: 'b2', epoch: 2 } });
    expect(await work('screening', { risk: 2 })).toMatchObject({ attempt: 1, params: { list: 'new' } });
    expect(await work('filing', 'done')).toMatchObject({ input: { booking: 'B-once' } }); // Nobody was asked to pay.
    expect((await call('GET', `runs/${run}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
    expect((await call('GET', `runs/${run}`)).json).toMatchObject({ head: 'b2', state: 'complete' });
    expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });
    expect((await call('GET', `events/${String(opened.json['receiptId'])}`)).json).toMatchObject({ outcome: 'branched' });
  });

  it('is opened by one of two who ask at once; the other learns that the head has moved (B-48)', async () => {
    const run = await complete('race');
    const request = { ...CORRECTION, effects: { 'payment-race': 'reuse' } };
    const both = await Promise.all([1, 2].map(() => call('POST', `runs/${run}/branches`, request)));
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409]);
    expect(both.find(({ status }) => status === 409)?.json).toMatchObject({
      code: 'head_moved',
      plan: { head: expect.stringMatching(/^b2@/) as never },
    });
    await work('screening', { risk: 2 });
    await work('filing', 'done');
  });

  it('is the same branch for a request that is sent again', async () => {
    const run = await complete('again');
    const request = { ...CORRECTION, effects: { 'payment-again': 'reuse' } };
    const forecast = await server.until(async () => {
      const asked = (await call('POST', `runs/${run}/branches:plan`, request)).json['forecast'] as JsonObject;
      return asked['sample'] === 2 ? asked : undefined; // Once the ends of both are folded.
    });
    expect(forecast).toMatchObject({ usd: 0, completed: 1 });
    expect(forecast['seconds']).toBeGreaterThan(0);
    const twice = [];
    for (let n = 0; n < 2; n++) twice.push(await call('POST', `runs/${run}/branches`, request, { 'idempotency-key': 'the same' }));
    expect(twice.map(({ status, json }) => [status, json['branch']])).toEqual([
      [201, 'b2'],
      [201, 'b2'],
    ]);
    await work('screening', { risk: 2 });
    await work('filing', 'done');
  });

  it.each([
    ['an unknown branch', { from: { branch: 'b7', at: 0 } }, 404, 'fork_not_found', '/from/branch'],
    ['a revision that is not there yet', { from: { branch: 'main', at: 999 } }, 404, 'fork_not_found', '/from/at'],
    ['a name that means nothing', { from: { branch: 'main', at: 'nowhere' } }, 404, 'fork_not_found', '/from/at'],
    ['a field that is none', { head: 'main' }, 400, 'unknown_field', '/head'],
    ['no reason', { reason: '' }, 400, 'invalid_body', '/reason'],
    ['an unknown cause', { cause: 'whim' }, 400, 'invalid_body', '/cause'],
    ['evidence that is no place', { evidence: ['there'] }, 400, 'invalid_body', '/evidence/0'],
    ['a step that is not there', { changes: [{ op: 'add', path: '/steps/none/params', value: 1 }] }, 422, 'branch_refused', '/changes/0'],
    ['a shadow of an acting cause', { shadow: true }, 422, 'branch_refused', '/cause'],
    ['a what-if that would act', { cause: 'what_if' }, 422, 'branch_refused', '/shadow'],
  ])('tells field and rule of %s (B-47)', async (_, more, status, code, pointer) => {
    const run = await complete(`bad-${pointer}-${code}-${String(_.length)}`);
    const got = await call('POST', `runs/${run}/branches`, { ...CORRECTION, ...more });
    expect(got).toMatchObject({ status, json: { code } });
    expect((got.json['errors'] as readonly JsonObject[]).map((error) => String(error['pointer']).replace('/data', ''))).toContain(pointer);
    expect((await call('GET', `runs/${run}`)).json).toMatchObject({ head: 'main' });
  });

  it.each([
    ['reuse', ['payments']],
    ['repeat', ['payments', 'payments']],
  ])(
    'asks people what becomes of the payment where that is chosen: %s, and its history is whole (U-5, I-15, I-16)',
    async (option, paid) => {
      const run = await complete(`ask-${option}`);
      const effects = { [`payment-ask-${option}`]: 'ask' };
      expect(await call('POST', `runs/${run}/branches`, { ...CORRECTION, effects })).toMatchObject({ status: 201 });
      await work('screening', { risk: 2 });
      const review = await server.until(async () => {
        const { items } = (await call('GET', `reviews?run=${run}`)).json as { items?: readonly JsonObject[] };
        return items?.[0];
      });
      const { subjectDigest, revision } = review;
      const decision = { subjectDigest, revision, option, reason: 'so' };
      expect((await call('POST', `reviews/${String(review['review'])}:decide`, decision as JsonObject)).json).toMatchObject({
        applied: 'yes',
      });
      for (const queue of paid.slice(1)) await work(queue, { booking: 'B-2' });
      expect(await work('filing', 'done')).toMatchObject({ input: { booking: paid.length > 1 ? 'B-2' : `B-ask-${option}` } });
      expect((await call('GET', `runs/${run}/result?waitMs=20000`)).json).toMatchObject({ outcome: 'succeeded' });
      expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });
    },
  );

  it('recovers a run that was cancelled, or has failed; its end stays in the history', async () => {
    const FAILING = {
      cairn: 1,
      name: 'failing',
      version: '1.0.0',
      limits: { branches: 2 },
      steps: [
        { id: 'come', wait: { any: [{ signal: 'come' }], deadline: '50ms', onDeadline: { fail: 'timeout' } } },
        { id: 'tell', task: { queue: 'telling' } },
      ],
    };
    expect((await call('PUT', 'definitions/failing', FAILING)).status).toBe(201);
    const over = {
      from: { branch: 'main', at: 0 },
      cause: 'override',
      reason: 'they came',
      changes: [{ op: 'add', path: '/skip/come', value: true }],
    };
    const failed = String((await call('POST', 'workflows/failing/runs', { key: 'failed' })).json['runId']);
    expect((await call('GET', `runs/${failed}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'failed' });
    expect(await call('POST', `runs/${failed}/branches`, over)).toMatchObject({ status: 201, json: { branch: 'b2' } });
    await work('telling', 'told');
    expect((await call('GET', `runs/${failed}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
    expect((await call('GET', `runs/${failed}/branches`)).json['branches']).toMatchObject([
      { branch: 'main', outcome: 'failed', failure: { step: 'come' }, supersededBy: 'b2' },
      { branch: 'b2', outcome: 'succeeded', head: true },
    ]);

    const again = await call('POST', `runs/${failed}/branches`, { ...over, from: { branch: 'b2', at: 1 } });
    expect(again).toMatchObject({ status: 422, json: { errors: [{ pointer: '', rule: 'limits.branches' }] } }); // It may have two.

    const { runId } = (await call('POST', 'workflows/paying/runs', { key: 'cancelled' })).json;
    await server.take('screening');
    expect((await call('POST', `runs/${String(runId)}:cancel`, {})).status).toBe(202);
    expect((await call('GET', `runs/${String(runId)}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'cancelled' });
    const moved = await call('POST', `runs/${String(runId)}/branches`, { ...CORRECTION, expectHead: 'main@0' });
    expect(moved).toMatchObject({ status: 409, json: { code: 'head_moved' } });
    const { head } = moved.json['plan'] as JsonObject; // Looked at again, it is this head that it is for.
    expect((await call('POST', `runs/${String(runId)}/branches`, { ...CORRECTION, expectHead: head })).status).toBe(201);
    await work('screening', { risk: 2 });
    await work('payments', { booking: 'B' });
    await work('filing', 'done');
    expect((await call('GET', `runs/${String(runId)}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
    for (const run of [failed, String(runId)])
      expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });
  });
});
