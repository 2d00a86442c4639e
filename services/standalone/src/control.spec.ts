// B-46 on all services over HTTP: cancel, pause and unpause in the middle of an effect, twice, and after the end.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { idOf, type JsonObject } from '@cairn/kernel';
import { GivenServer, type Got, type Task } from './spec/given-server.js';

const DEFINITION = {
  cairn: 1,
  name: 'paying',
  version: '1.0.0',
  steps: [
    {
      id: 'pay',
      effect: { queue: 'payments', key: 'payment-${run.key}', guarantee: 'none' },
      purpose: 'the vendor gets the money',
      input: { eur: 12 },
    },
    { id: 'tell', task: { queue: 'telling' } },
  ],
};

type Verb = 'cancel' | 'pause' | 'unpause';

describe('what is asked of a whole run (B-46)', () => {
  let server: GivenServer;
  beforeAll(async () => {
    server = await GivenServer.start(DEFINITION);
  });
  afterAll(() => server.stop());

  const call = (...asked: Parameters<GivenServer['call']>): Promise<Got> => server.call(...asked);
  const get = (path: string): Promise<JsonObject> => server.get(path);
  const take = (queue: string): Promise<Task> => server.take(queue);
  const answer = (task: Task): Promise<JsonObject> => server.answer(task, { paid: true });
  const control = (run: string, verb: Verb, body?: unknown): Promise<Got> => call('POST', `runs/${run}:${verb}`, body);

  /** A run whose payment is in the hands of a handler. */
  async function midEffect(key: string): Promise<{ readonly run: string; readonly task: Task }> {
    await call('POST', 'workflows/paying/runs', { key });
    const task = await take('payments');
    expect(task.data['effect']).toMatchObject({ key: `payment-${key}` });
    return { run: idOf('run', 'default', 'paying', key), task };
  }

  /** A run that has ended by itself. */
  async function finished(key: string): Promise<string> {
    const { run, task } = await midEffect(key);
    await answer(task);
    await answer(await take('telling'));
    expect(await get(`runs/${run}/result?waitMs=30000`)).toMatchObject({ outcome: 'succeeded' });
    return run;
  }

  it('cancels in the middle of an effect, waiting for no handler: what it did is unknown, and stays so (W-7)', async () => {
    const { run, task } = await midEffect('mid-cancel');
    expect(await control(run, 'cancel', { reason: 'wrong vendor' })).toMatchObject({
      status: 202,
      json: { outcome: 'attached', runs: [{ run }] },
    });
    expect(await get(`runs/${run}`)).toMatchObject({ state: 'complete', sub: 'cancelled' });
    expect(await get(`runs/${run}/effects/payment-mid-cancel`)).toMatchObject({ status: 'unknown' });
    expect(await answer(task)).toEqual({ accepted: false, because: 'late' });
    expect(await get(`runs/${run}/effects/payment-mid-cancel`)).toMatchObject({ status: 'unknown' });
    const { says, next } = await get(`runs/${run}/why`);
    expect(says).toMatch(
      /^The run was cancelled by user:local .* ago: "wrong vendor"\. Whether "payment-mid-cancel" happened is unknown; its handler said afterwards that it succeeded\.$/,
    );
    expect(next).toBe(`npx cairn effect list ${run.slice(-8)}`);
    expect(await get(`runs/${run}/verify?when=quiescent`)).toEqual({ run, violations: [] });
  });

  it('pauses in the middle of an effect: its reply counts, and what follows starts when the run goes on', async () => {
    const { run, task } = await midEffect('mid-pause');
    expect((await control(run, 'pause')).status).toBe(202);
    expect(await answer(task)).toEqual({ accepted: true });
    expect(await get(`runs/${run}/effects/payment-mid-pause`)).toMatchObject({ status: 'confirmed' });
    expect(await get(`runs/${run}`)).toMatchObject({ state: 'blocked', sub: 'paused' });
    expect(await get(`runs/${run}/why`)).toMatchObject({ because: [{ kind: 'paused' }], next: `npx cairn run unpause ${run.slice(-8)}` });
    expect((await control(run, 'unpause')).status).toBe(202);
    await answer(await take('telling'));
    expect(await get(`runs/${run}/result?waitMs=30000`)).toMatchObject({ outcome: 'succeeded' });
    expect(await get(`runs/${run}/verify?when=quiescent`)).toEqual({ run, violations: [] });
  });

  it.each<Verb>(['pause', 'unpause', 'cancel'])('answers a second %s as the first, and appends nothing', async (verb) => {
    const { run } = await midEffect(`twice-${verb}`);
    const first = await control(run, verb);
    const { revision } = await get(`runs/${run}`);
    const second = await control(run, verb);
    expect([second.status, second.json['outcome'], second.json['runs']]).toEqual([202, first.json['outcome'], first.json['runs']]);
    expect((await get(`runs/${run}`))['revision']).toBe(revision);
    await control(run, 'cancel');
  });

  it('takes the same Idempotency-Key for the same event, whatever the run did since, and another verb for a conflict (B-15)', async () => {
    const { run } = await midEffect('same-key');
    const key = { 'idempotency-key': 'pause-once' };
    const first = await call('POST', `runs/${run}:pause`, {}, key);
    await control(run, 'unpause');
    expect(await call('POST', `runs/${run}:pause`, {}, key)).toEqual(first);
    expect(await get(`runs/${run}`)).toMatchObject({ state: 'active' });
    expect(await call('POST', `runs/${run}:cancel`, {}, key)).toMatchObject({ status: 409, json: { code: 'idempotency_conflict' } });
    await control(run, 'cancel');
    expect(await call('POST', `runs/${run}:pause`, {}, key)).toMatchObject({ status: 202, json: { outcome: 'attached' } });
  });

  it('is a conflict for a run that has ended otherwise, whatever is asked', async () => {
    const run = await finished('over');
    const { revision } = await get(`runs/${run}`);
    for (const verb of ['cancel', 'pause', 'unpause'] as const)
      expect(await control(run, verb)).toMatchObject({ status: 409, json: { code: 'run_ended' } });
    expect((await get(`runs/${run}`))['revision']).toBe(revision);
  });

  it.each<Verb>(['pause', 'unpause'])('does not %s what was cancelled', async (verb) => {
    const { run } = await midEffect(`cancelled-${verb}`);
    await control(run, 'cancel');
    expect(await control(run, verb)).toMatchObject({ status: 409, json: { code: 'run_ended' } });
  });

  it('knows no run of that id', async () => {
    const run = idOf('run', 'default', 'paying', 'never');
    for (const verb of ['cancel', 'pause', 'unpause'] as const)
      expect(await control(run, verb)).toMatchObject({ status: 404, json: { code: 'run_not_found' } });
  });
});
