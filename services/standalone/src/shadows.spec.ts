// U-6 on all services over HTTP: a shadow runs beside the head, acts on nothing, is given up, or is promoted.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '@cairn/kernel';
import { GivenServer, type Got } from './spec/given-server.js';
import { paying } from './spec/paying.js';

const WHAT_IF = {
  from: { branch: 'main', at: 'screen' },
  cause: 'what_if',
  shadow: true,
  reason: 'the list of today',
  changes: [{ op: 'replace', path: '/steps/screen/params/list', value: 'new' }],
};

describe('a shadow branch', () => {
  let server: GivenServer;
  beforeAll(async () => {
    server = await GivenServer.start(paying);
  });
  afterAll(() => server.stop());

  const call = (...asked: Parameters<GivenServer['call']>): Promise<Got> => server.call(...asked);

  async function work(queue: string, output: Json): Promise<JsonObject> {
    const task = await server.take(queue);
    await server.answer(task, output);
    return task.data;
  }

  /** Paid already; its filing is under way. */
  async function filing(key: string): Promise<{ run: string; task: Awaited<ReturnType<GivenServer['take']>> }> {
    const { runId } = (await call('POST', 'workflows/paying/runs', { key })).json;
    await work('screening', { risk: 1 });
    await work('payments', { booking: `B-${key}` });
    return { run: String(runId), task: await server.take('filing') };
  }

  const branches = async (run: string): Promise<readonly JsonObject[]> =>
    (await call('GET', `runs/${run}/branches`)).json['branches'] as readonly JsonObject[];

  it('runs its tasks beside the head, takes the confirmed payment, and leaves the run as it is; then it is promoted', async () => {
    const { run, task } = await filing('beside');
    expect(await call('POST', `runs/${run}/branches`, WHAT_IF)).toMatchObject({ status: 201, json: { branch: 'b2' } });
    expect(await work('screening', { risk: 9 })).toMatchObject({ params: { list: 'new' }, lease: { branch: 'b2' } });
    expect(await work('filing', 'shadow file')).toMatchObject({ input: { booking: 'B-beside' }, lease: { branch: 'b2' } });
    expect((await call('GET', `runs/${run}`)).json).toMatchObject({ head: 'main', state: 'active' });
    await server.answer(task, 'head file');
    expect((await call('GET', `runs/${run}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
    expect(await branches(run)).toMatchObject([
      { branch: 'main', head: true, shadow: false, outcome: 'succeeded' },
      { branch: 'b2', head: false, shadow: true, outcome: 'succeeded', opened: { cause: 'what_if' } },
    ]);
    expect((await call('GET', `runs/${run}/state?branch=b2`)).json).toMatchObject({ branch: 'b2', state: 'complete', sub: 'succeeded' });
    const { steps } = (await call('GET', `runs/${run}/branches/main...b2/diff`)).json;
    expect(steps).toMatchObject([
      { step: 'screen', differs: expect.arrayContaining(['params', 'output']) },
      { step: 'pay', differs: expect.not.arrayContaining(['output']), a: { outcome: 'succeeded' }, b: { outcome: 'stubbed' } },
      { step: 'file', differs: expect.arrayContaining(['output']), b: { outcome: 'succeeded' } },
    ]);
    expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });

    const promote = { from: { branch: 'b2', at: 'promote' }, cause: 'correction', reason: 'it was better' };
    const beyond = await call('POST', `runs/${run}/branches`, { ...promote, from: { branch: 'b2', at: 'failure' } });
    expect(beyond).toMatchObject({ status: 404, json: { code: 'fork_not_found' } });
    const end = (await branches(run))[1]?.['revision'];
    const behind = await call('POST', `runs/${run}/branches`, { ...promote, from: { branch: 'b2', at: end as number }, effects: {} });
    expect(behind).toMatchObject({ status: 422, json: { errors: [{ pointer: '/from/at', rule: 'stubbed' }] } });
    const effects = { 'payment-beside': 'reuse' };
    expect(await call('POST', `runs/${run}/branches`, { ...promote, effects })).toMatchObject({ status: 201, json: { branch: 'b3' } });
    expect(await work('screening', { risk: 9 })).toMatchObject({ params: { list: 'new' }, lease: { branch: 'b3' } });
    expect(await work('filing', 'b3 file')).toMatchObject({ input: { booking: 'B-beside' } });
    expect((await call('GET', `runs/${run}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
    expect((await call('GET', `runs/${run}`)).json).toMatchObject({ head: 'b3' });
    expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });
  });

  it('stops where an effect has no result and no stub, and where a task fails; says so; nobody retries it', async () => {
    const { runId } = (await call('POST', 'workflows/paying/runs', { key: 'stops' })).json;
    const run = String(runId);
    const head = await server.take('screening');
    expect(await call('POST', `runs/${run}/branches`, { ...WHAT_IF, from: { branch: 'main', at: 0 } })).toMatchObject({ status: 201 });
    await work('screening', { risk: 2 });
    expect((await branches(run))[1]).toMatchObject({
      outcome: 'stopped',
      stops: ['effect pay has no confirmed result under payment-stops and no stub'],
    });
    expect((await call('GET', `runs/${run}`)).json).toMatchObject({ head: 'main', state: 'active' });
    expect(await call('POST', `runs/${run}/branches/b2:abandon`, { reason: 'enough' })).toMatchObject({
      status: 409,
      json: { code: 'branch_ended' },
    });
    await server.answer(head, { risk: 1 });
    await work('payments', { booking: 'B-stops' });
    await work('filing', 'done');
    expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });
  });

  it('is given up once, and its tasks with it; a branch that acts is not', async () => {
    const { run, task } = await filing('gone');
    expect(await call('POST', `runs/${run}/branches`, WHAT_IF)).toMatchObject({ status: 201, json: { branch: 'b2' } });
    const screening = await server.take('screening');
    for (let n = 0; n < 2; n++)
      expect(await call('POST', `runs/${run}/branches/b2:abandon`, { reason: 'enough' })).toMatchObject({
        status: 200,
        json: { run, branch: 'b2', outcome: 'abandoned' },
      });
    await expect(server.answer(screening, { risk: 3 })).resolves.toMatchObject({ because: 'late' });
    expect((await branches(run))[1]).toMatchObject({ outcome: 'abandoned' });
    expect(await call('POST', `runs/${run}/branches/main:abandon`, { reason: 'enough' })).toMatchObject({
      status: 409,
      json: { code: 'not_a_shadow' },
    });
    expect(await call('POST', `runs/${run}/branches/b9:abandon`, { reason: 'enough' })).toMatchObject({ status: 404 });
    expect(await call('POST', `runs/${run}/branches/b2:abandon`, {})).toMatchObject({ status: 400 });
    await server.answer(task, 'done');
    expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });
  });

  const end = (run: string): Promise<JsonObject> => server.get(`runs/${run}/result?waitMs=30000`);
  const outcomes = async (run: string): Promise<unknown[]> => (await branches(run)).map(({ outcome }) => outcome);
  const isWhole = async (run: string): Promise<void> =>
    expect((await call('GET', `runs/${run}/verify?when=quiescent`)).json).toMatchObject({ violations: [] });

  it('goes on while the run is paused, and after it was cancelled; neither is changed by it', async () => {
    const { run, task } = await filing('paused');
    expect((await call('POST', `runs/${run}/branches`, WHAT_IF)).status).toBe(201);
    expect((await call('POST', `runs/${run}:pause`, {})).status).toBe(202);
    await work('screening', { risk: 9 });
    expect(await server.answer(task, 'done')).toMatchObject({ accepted: true });
    expect((await call('GET', `runs/${run}`)).json).toMatchObject({ head: 'main', state: 'blocked', sub: 'paused' });
    expect((await call('POST', `runs/${run}:cancel`, { reason: 'enough' })).status).toBe(202);
    await end(run);
    expect(await work('filing', 'shadow file')).toMatchObject({ lease: { branch: 'b2' } });
    expect(await outcomes(run)).toEqual(['cancelled', 'succeeded']);
    expect((await call('GET', `runs/${run}`)).json).toMatchObject({ head: 'main', state: 'complete', sub: 'cancelled' });
    await isWhole(run);
  });

  it('goes on when another branch becomes the head, takes what that cannot know, and is given up as before', async () => {
    const { run } = await filing('beside-two');
    expect((await call('POST', `runs/${run}/branches`, WHAT_IF)).status).toBe(201);
    const screening = await server.take('screening');
    const correction = {
      from: { branch: 'main', at: 'file' },
      cause: 'retry_modified',
      reason: 'in another folder',
      changes: [{ op: 'add', path: '/steps/file/guidance', value: 'the other folder' }],
    };
    expect(await call('POST', `runs/${run}/branches`, correction)).toMatchObject({ status: 201, json: { branch: 'b3' } });
    expect(await work('filing', 'done')).toMatchObject({ lease: { branch: 'b3' }, guidance: 'the other folder' });
    expect(await end(run)).toMatchObject({ outcome: 'succeeded' });
    expect(await server.answer(screening, { risk: 4 })).toMatchObject({ accepted: true });
    const filed = await server.take('filing');
    expect(filed.data).toMatchObject({ lease: { branch: 'b2' }, input: { booking: 'B-beside-two' } });
    expect((await call('POST', `runs/${run}/branches/b2:abandon`, { reason: 'enough' })).status).toBe(200);
    expect(await server.answer(filed, 'too late')).toMatchObject({ because: 'late' });
    expect(await outcomes(run)).toEqual(['superseded', 'abandoned', 'succeeded']);
    await isWhole(run);
  });

  it.each([
    ['stopped', 'where it stopped at what it could not do'],
    ['abandoned', 'though it was given up'],
  ])('that is %s is promoted from before that, %s', async (outcome) => {
    const { runId } = (await call('POST', 'workflows/paying/runs', { key: `promoted-${outcome}` })).json;
    const run = String(runId);
    const head = await server.take('screening');
    expect((await call('POST', `runs/${run}/branches`, { ...WHAT_IF, from: { branch: 'main', at: 0 } })).status).toBe(201);
    if (outcome === 'stopped') await work('screening', { risk: 2 });
    else expect((await call('POST', `runs/${run}/branches/b2:abandon`, { reason: 'enough' })).status).toBe(200);
    expect(await outcomes(run)).toEqual(['open', outcome]);
    const promote = { from: { branch: 'b2', at: 'promote' }, cause: 'correction', reason: 'it was better' };
    expect(await call('POST', `runs/${run}/branches`, promote)).toMatchObject({ status: 201, json: { branch: 'b3' } });
    expect(await server.answer(head, { risk: 1 })).toMatchObject({ because: 'late' });
    expect(await work('screening', { risk: 2 })).toMatchObject({ params: { list: 'new' }, lease: { branch: 'b3' } });
    expect(await work('payments', { booking: 'B' })).toMatchObject({ input: { risk: 2 } });
    await work('filing', 'done');
    expect(await end(run)).toMatchObject({ outcome: 'succeeded' });
    await isWhole(run);
  });
});
