// C-REVIEWTRIG on all services over HTTP and libSQL: what a policy hands to people, and each thing that they can make of it.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@cairn/kernel';
import { GivenServer, TAKEN, type Got } from './spec/given-server.js';

const DEFINITION = {
  cairn: 1,
  name: 'scanning',
  version: '1.0.0',
  input: { type: 'object' },
  steps: [
    { id: 'load', task: { queue: 'load' } },
    { id: 'scan', task: { queue: 'scan-a' }, input: { page: '${input.page}' }, fallback: [{ queue: 'scan-b' }] },
    { id: 'store', task: { queue: 'store' } },
  ],
  reduced: [{ id: 'unscanned', drops: ['scan'], steps: [], summary: 'Without the scan' }],
};
const OPTIONS = ['retry_modified', 'fallback:0', 'reduce:unscanned', 'retry', 'give_up'];

interface Review extends JsonObject {
  readonly review: string;
  readonly subjectDigest: string;
  readonly revision: number;
  readonly options: readonly { readonly id: string; readonly preview: string }[];
}

describe('a failure that a policy hands to people', () => {
  let server: GivenServer;
  beforeAll(async () => {
    server = await GivenServer.start(DEFINITION);
  });
  afterAll(() => server.stop());

  const reviewsOf = async (run: string): Promise<readonly Review[]> =>
    (await server.get(`reviews?run=${run}`))['items'] as unknown as readonly Review[];
  const asked = (run: string): Promise<Review> => server.until(async () => (await reviewsOf(run))[0]);

  /** A run whose scan has failed in a way that nobody recognises. */
  async function escalated(key: string): Promise<{ readonly run: string; readonly review: Review }> {
    const run = String((await server.call('POST', 'workflows/scanning/runs', { key, input: { page: 7 } })).json['runId']);
    await server.answer(await server.take('load'), {});
    await server.fail(await server.take('scan-a'));
    return { run, review: await asked(run) };
  }
  const decide = ({ review, subjectDigest, revision }: Review, more: JsonObject): Promise<Got> =>
    server.call('POST', `reviews/${review}:decide`, { subjectDigest, revision, reason: 'so', ...more });
  const kept = async (run: string): Promise<void> =>
    expect((await server.get(`runs/${run}/verify?when=quiescent`))['violations']).toEqual([]);
  const ends = async (run: string): Promise<JsonObject> => server.get(`runs/${run}/result?waitMs=30000`);

  it('is asked about once, with options that say what they do; the run and why say so', async () => {
    const { run, review } = await escalated('asked');
    expect(review).toMatchObject({
      why: 'recovery',
      queue: 'triage',
      status: 'open',
      branch: 'main',
      step: 'scan',
      editable: ['/input', '/params'],
    });
    expect(review.options.map(({ id }) => id)).toEqual(OPTIONS);
    for (const { preview } of review.options.slice(0, 4)) expect(preview).toContain('Kept as done: load');
    expect(await server.get(`runs/${run}`)).toMatchObject({ state: 'escalated', sub: 'recovery', head: 'main' });
    const why = await server.get(`runs/${run}/why`);
    expect(why).toMatchObject({ because: [{ kind: 'escalated', step: 'scan', queue: 'triage' }] });
    for (const id of OPTIONS) expect(why['says']).toContain(id);
    expect(await reviewsOf(run)).toHaveLength(1);
    await kept(run);
  });

  it('goes out again as it was, and asks again when that fails: after_retries now', async () => {
    const { run, review } = await escalated('again');
    expect(await decide(review, { option: 'retry' })).toMatchObject({
      status: 200,
      json: { applied: expect.stringMatching(TAKEN), decision: { option: 'retry' } },
    });
    const task = await server.take('scan-a');
    expect(task.data).toMatchObject({ attempt: 2, input: { page: 7 }, lease: { branch: 'main' } });
    await server.fail(task);
    const second = await server.until(async () => (await reviewsOf(run)).find(({ review: id }) => id !== review.review));
    expect(second).toMatchObject({ why: 'after_retries', branch: 'main' });
    await kept(run);
  });

  it('goes out again as people changed it: one branch, with their guidance for the handler, by their name', async () => {
    const { run, review } = await escalated('changed');
    const edits = [{ op: 'replace', path: '/input/page', value: 8 }];
    expect((await decide(review, { option: 'retry_modified', guidance: 'page 7 is blank', edits })).json).toMatchObject({
      applied: expect.stringMatching(TAKEN),
    });
    const task = await server.take('scan-a');
    expect(task.data).toMatchObject({ attempt: 2, input: { page: 8 }, guidance: 'page 7 is blank', lease: { branch: 'b2' } });
    await server.answer(task, {});
    await server.answer(await server.take('store'), {});
    expect(await ends(run)).toMatchObject({ outcome: 'succeeded' });
    const { branches } = (await server.get(`runs/${run}/branches`)) as unknown as { branches: { opened: JsonObject }[] };
    expect(branches).toHaveLength(2);
    expect(branches[1]?.opened).toMatchObject({ cause: 'retry_modified', reason: 'so', actor: 'user:local' });
    const { items } = (await server.get(`runs/${run}/retries`)) as unknown as { items: JsonObject[] };
    expect(items).toMatchObject([{ step: 'scan', people: { by: ['user:local'], then: 'branch', opens: { branch: 'b2' } } }]);
    await kept(run);
  });

  it('falls back, without running again what is done', async () => {
    const { run, review } = await escalated('fallback');
    expect((await decide(review, { verdict: 'approve', option: 'fallback:0' })).json).toMatchObject({
      applied: expect.stringMatching(TAKEN),
    });
    const task = await server.take('scan-b');
    expect(task.data).toMatchObject({ attempt: 2, lease: { branch: 'b2' } });
    await server.fail(task);
    // The alternative is taken, whoever took it: nobody is offered it again.
    const second = await server.until(async () => (await reviewsOf(run)).find(({ review: id }) => id !== review.review));
    expect(second.options.map(({ id }) => id)).toEqual(OPTIONS.filter((id) => id !== 'fallback:0'));
    await decide(second, { option: 'reduce:unscanned' });
    await server.answer(await server.take('store'), {});
    expect(await ends(run)).toMatchObject({ outcome: 'reduced' });
    await kept(run);
  });

  it('is given up', async () => {
    const { run, review } = await escalated('given up');
    expect((await decide(review, { option: 'give_up' })).json).toMatchObject({ applied: expect.stringMatching(TAKEN), status: 'decided' });
    expect(await ends(run)).toMatchObject({ outcome: 'gave_up' });
    expect(await reviewsOf(run)).toEqual([]);
    await kept(run);
  });

  it('is withdrawn where a person opens a branch instead, and a decision that comes then is not taken (C-OVERRIDE, I-27)', async () => {
    const { run, review } = await escalated('branched');
    const request = {
      from: { branch: 'main', at: 'scan' },
      cause: 'override',
      reason: 'by hand',
      changes: [{ op: 'add', path: '/outputs/scan', value: {} }],
    };
    expect((await server.call('POST', `runs/${run}/branches`, request)).status).toBe(201);
    await server.answer(await server.take('store'), {});
    await ends(run);
    const closed = await server.until(async () => {
      const now = await server.get(`reviews/${review.review}`);
      return now['status'] === 'withdrawn' ? now : undefined;
    });
    expect(await decide(closed as Review, { option: 'retry' })).toMatchObject({ status: 409, json: { code: 'review_closed' } });
    await kept(run);
  });

  it.each<[string, JsonObject, number, string, string]>([
    ['neither verdict nor option', {}, 400, 'invalid_body', '/verdict'],
    ['a verdict that may mean several options', { verdict: 'approve' }, 422, 'verdict_unknown', '/option'],
    ['an option that is not offered', { option: 'fallback:9' }, 422, 'verdict_unknown', ''],
    ['an option under another verdict', { option: 'give_up', verdict: 'approve' }, 422, 'verdict_unknown', ''],
    ['a change of nothing', { option: 'retry_modified' }, 422, 'edits_invalid', '/guidance'],
    [
      'a change of the queue',
      { option: 'retry_modified', edits: [{ op: 'replace', path: '/queue', value: 'x' }] },
      422,
      'edits_invalid',
      '/edits/0/path',
    ],
    [
      'edits of another option',
      { option: 'retry', edits: [{ op: 'replace', path: '/input/page', value: 8 }] },
      422,
      'edits_invalid',
      '/edits',
    ],
    ['another subject', { option: 'retry', subjectDigest: '0'.repeat(64) }, 409, 'digest_mismatch', ''],
  ])('tells what is wrong with %s, and decides nothing (B-33)', async (what, more, status, code, pointer) => {
    const { run, review } = await escalated(`bad ${what}`);
    const got = await decide(review, more);
    expect(got).toMatchObject({ status, json: { code } });
    const pointers = ((got.json['errors'] ?? []) as readonly JsonObject[]).map((error) => String(error['pointer']));
    if (pointer !== '') expect(pointers).toContain(pointer);
    expect(await server.get(`runs/${run}`)).toMatchObject({ state: 'escalated' });
  });
});
