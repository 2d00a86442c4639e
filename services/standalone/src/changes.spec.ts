// C-MODIFIED, C-CAUSE, `capabilities.md` §6 on all services over HTTP: a branch goes on by other rules, by another definition, with a lesson.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '@cairn/kernel';
import { GivenServer, TAKEN, type Got } from './spec/given-server.js';

const DEFINITION = {
  cairn: 1,
  name: 'changing',
  version: '1.0.0',
  steps: [
    { id: 'read', task: { queue: 'reading' } },
    { id: 'guess', task: { queue: 'guessing' }, params: { n: 1 } },
    { id: 'file', task: { queue: 'filing' }, input: { of: '${steps.guess.output}' } },
  ],
};
const POLICY = {
  cairn: 1,
  policy: 'stubborn',
  buckets: {
    tool_error: { retry: true, attempts: 3, expects: 'time_passes', backoff: { kind: 'fixed', first: '100ms' } },
    unclassified: { retry: false, escalate: 'triage' },
  },
  limits: { perStep: 4, perRun: 10, elapsed: '1h' },
  onExhausted: ['give_up'],
};
const AT_GUESS = { from: { branch: 'main', at: 'guess' }, cause: 'correction', reason: 'another way' };

describe('a branch that goes on differently', () => {
  let server: GivenServer;
  beforeAll(async () => {
    server = await GivenServer.start(DEFINITION);
    expect(await server.call('PUT', 'policies/stubborn', POLICY)).toMatchObject({ status: 201, json: {} });
  });
  afterAll(() => server.stop());

  const call = (...asked: Parameters<GivenServer['call']>): Promise<Got> => server.call(...asked);
  const take = async (queue: string) => server.take(queue);
  async function work(queue: string, output: Json): Promise<JsonObject> {
    const task = await take(queue);
    await server.answer(task, output);
    return task.data;
  }
  async function started(key: string): Promise<string> {
    const { runId } = (await call('POST', 'workflows/changing/runs', { key })).json;
    await work('reading', 'text');
    return String(runId);
  }
  const isWhole = async (run: string) =>
    expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });

  it('has the time limit and the policy that it was given, and its handlers are told why (C-POLICY)', async () => {
    const run = await started('rules');
    await server.fail(await take('guessing'));
    await server.until(async () => ((await call('GET', `runs/${run}`)).json['state'] !== 'retrying' ? true : undefined));
    const changes = [
      { op: 'replace', path: '/steps/guess/timeout', value: '90s' },
      { op: 'replace', path: '/steps/guess/retry', value: 'stubborn@1' },
      { op: 'add', path: '/steps/guess/guidance', value: 'lower' },
    ];
    expect((await call('POST', `runs/${run}/branches`, { ...AT_GUESS, changes })).json).toMatchObject({ branch: 'b2' });
    const first = await take('guessing');
    expect(first.data).toMatchObject({
      timeoutMs: 90_000,
      guidance: 'lower',
      lesson: {
        branch: 'b2',
        cause: 'correction',
        reason: 'another way',
        failures: [{ step: 'guess', attempts: 1, bucket: 'unclassified' }],
      },
    });
    await server.fail(first, { bucket: 'tool_error', message: 'broken' });
    const second = await take('guessing'); // By policy default nobody would try again.
    expect(second.data).toMatchObject({ attempt: 2, timeoutMs: 90_000 });
    expect((await call('GET', `runs/${run}/retries`)).json['items']).toMatchObject([
      { branch: 'main', decided: { policy: { name: 'default' } } },
      { branch: 'b2', decided: { policy: { name: 'stubborn', version: 1 }, decision: 'retry' } },
    ]);
    await server.answer(second, 7);
    expect(await work('filing', 'done')).toMatchObject({ input: { of: 7 } });
    await isWhole(run);
  });

  it('goes on by another version of its workflow, and what was finished stays', async () => {
    const run = await started('version');
    const task = await take('guessing');
    const check = { id: 'check', task: { queue: 'checking' }, input: { of: '${steps.guess.output}' }, retry: 'stubborn' };
    const [read, guess, file] = DEFINITION.steps;
    const next = { ...DEFINITION, version: '1.1.0', steps: [read, guess, check, file] };
    expect((await call('PUT', 'definitions/changing', next)).status).toBe(201);
    const changes = [{ op: 'replace', path: '/definition', value: '1.1.0' }];
    expect((await call('POST', `runs/${run}/branches:plan`, { ...AT_GUESS, changes })).json).toMatchObject({
      keeps: ['read'],
      reruns: ['guess'],
      problems: [],
    });
    expect((await call('POST', `runs/${run}/branches`, { ...AT_GUESS, changes })).status).toBe(201);
    expect(await server.answer(task, 1)).toMatchObject({ accepted: false });
    expect(await work('guessing', 2)).toMatchObject({ lease: { branch: 'b2' } });
    await server.fail(await take('checking'), { bucket: 'tool_error', message: 'broken' });
    expect(await work('checking', true)).toMatchObject({ input: { of: 2 }, attempt: 2 });
    await work('filing', 'done');
    expect((await call('GET', `runs/${run}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
    expect((await call('GET', `runs/${run}`)).json).toMatchObject({ version: '1.1.0', head: 'b2' });
    expect((await call('GET', `runs/${run}/retries?step=check`)).json['items']).toMatchObject([
      { decided: { policy: { name: 'stubborn' } } },
    ]);
    await isWhole(run);

    const back = await call('POST', `runs/${run}/branches:plan`, { ...AT_GUESS, changes: [] });
    expect(back.json).toMatchObject({ problems: [], reruns: ['guess', 'file'] }); // From main it grows by the version that main had.
    const none = await call('POST', `runs/${run}/branches`, { ...AT_GUESS, changes: [{ ...changes[0], value: '7.0.0' }] });
    expect(none).toMatchObject({ status: 422, json: { errors: [{ pointer: '/changes/0', rule: 'unknown-ref' }] } });
    expect(String((none.json['errors'] as readonly JsonObject[])[0]?.['says'])).toContain('applied are 1.0.0, 1.1.0');
  });

  it('tells no lesson where it is untold, and refuses policies that are not there', async () => {
    const run = await started('untold');
    await take('guessing');
    const changes = [{ op: 'replace', path: '/steps/guess/params/n', value: 2 }];
    const missing = [{ op: 'replace', path: '/steps/guess/retry', value: 'nobody@3' }];
    expect(await call('POST', `runs/${run}/branches`, { ...AT_GUESS, changes: missing })).toMatchObject({
      status: 422,
      json: { errors: [{ pointer: '/changes/0', rule: 'unknown-ref' }] },
    });
    expect((await call('POST', `runs/${run}/branches`, { ...AT_GUESS, changes, lesson: 'untold' })).status).toBe(201);
    expect((await take('guessing')).data).not.toHaveProperty('lesson');
  });

  it('takes an approval along for exactly what was approved, and asks nobody again (U-4, I-23)', async () => {
    const definition = {
      cairn: 1,
      name: 'approving',
      version: '1.0.0',
      steps: [
        { id: 'screen', task: { queue: 'screens' }, params: { list: 'old' } },
        { id: 'approve', review: { queue: 'desk', question: 'Pay?', deadline: '1d', authorises: ['pay'] } },
        {
          id: 'pay',
          effect: { queue: 'pays', key: 'payment-${run.key}', guarantee: 'idempotent' },
          purpose: 'the vendor gets the money',
          risk: 'high',
          input: { amount: '${steps.screen.output.amount}' },
        },
        { id: 'note', task: { queue: 'notes' } },
      ],
    };
    expect((await call('PUT', 'definitions/approving', definition)).status).toBe(201);
    const run = String((await call('POST', 'workflows/approving/runs', { key: 'carried' })).json['runId']);
    await work('screens', { amount: 7 });
    const asked = async (): Promise<readonly JsonObject[]> => (await server.get(`reviews?run=${run}`))['items'] as readonly JsonObject[];
    const { review, subjectDigest, revision } = await server.until(async () => (await asked())[0]);
    const decision = { subjectDigest, revision, verdict: 'approve', reason: 'it is right' } as JsonObject;
    expect((await call('POST', `reviews/${String(review)}:decide`, decision)).json).toMatchObject({
      applied: expect.stringMatching(TAKEN),
    });
    await work('pays', { booking: 'B-1' });
    const request = {
      from: { branch: 'main', at: 'screen' },
      cause: 'correction',
      reason: 'booked to the wrong account',
      effects: { 'payment-carried': 'repeat' },
      effectReasons: { 'payment-carried': 'the first went to the wrong account' },
    };
    const { received } = (await call('POST', `runs/${run}/branches:plan`, request)).json;
    expect(received).toMatchObject([{ id: 'verdict:approve', default: 're_ask', choice: 're_ask' }]);
    const carried = { ...request, received: { 'verdict:approve': 'carry' } };
    expect((await call('POST', `runs/${run}/branches`, carried)).status).toBe(201);
    await work('screens', { amount: 7 });
    expect(await work('pays', { booking: 'B-2' })).toMatchObject({ lease: { branch: 'b2' }, effect: { key: 'payment-carried#1' } });
    expect(await asked()).toEqual([]);
    await work('notes', 'done'); // The one of main is over; b2's is given.
    expect(await server.get(`runs/${run}/result?waitMs=30000`)).toMatchObject({ outcome: 'succeeded' });
    await isWhole(run);
  });
});
