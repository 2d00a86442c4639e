// Goal: what a start event does whose key has a run (`duplicates`), above all that it corrects it on a branch (C-BRANCH, C-CAUSE, I-29). Method:
// all services on a libSQL file, the spec as publisher and as handler.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '@cairn/kernel';
import { GivenServer } from './spec/given-server.js';

const start = (event: string, more: object): object => ({ event, key: '${event.data.vendor}', ...more });
const input = { type: 'object', required: ['limit'], properties: { limit: { type: 'number' } } };
const definition = {
  cairn: 1,
  name: 'vendor',
  version: '1.0.0',
  input,
  on: [start('vendor.asked', { duplicates: 'branch' })],
  steps: [
    { id: 'screen', task: { queue: 'screens' }, input: '${input.limit}' },
    { id: 'sort', task: { queue: 'sorts' } },
    {
      id: 'pay',
      purpose: 'the vendor is paid',
      effect: { queue: 'pays', key: '${run.key}', guarantee: 'idempotent' },
      input: '${input.limit}',
    },
  ],
};

let given: GivenServer;
beforeAll(async () => {
  given = await GivenServer.start(definition);
});
afterAll(() => given.stop());

/** Sends the event and gives its receipt, also where it is refused. */
async function ask(id: string, vendor: string, data: JsonObject, type = 'vendor.asked'): Promise<JsonObject> {
  const event = { specversion: '1.0', id, source: '/spec', type, data: { vendor, ...data } as Json };
  const { status, json } = await given.call('POST', 'events', event);
  return status === 202 ? json : given.get(`events/${String(json['receiptId'])}`);
}
const runOf = ({ runs }: JsonObject): { readonly run: string; readonly branch?: string } =>
  (runs as unknown as readonly { readonly run: string; readonly branch?: string }[])[0] ?? { run: '' };
async function taskOf(queue: string, run: string): ReturnType<GivenServer['take']> {
  for (;;) {
    const task = await given.take(queue);
    if ((task as unknown as JsonObject)['cairnrun'] === run) return task;
    await given.answer(task, null);
  }
}

describe('duplicates: branch', () => {
  it('begins the run anew with the new input, on a correction branch that says which event it was', async () => {
    const first = await ask('a1', 'V-1', { limit: 1 });
    const { run } = runOf(first);
    expect(first['outcome']).toBe('started');
    await given.answer(await taskOf('screens', run), 'fine');
    const second = await ask('a2', 'V-1', { limit: 2 });
    expect([second['outcome'], runOf(second)]).toEqual(['branched', { run, branch: 'b2' }]);
    const { branches } = (await given.get(`runs/${run}/branches`)) as unknown as { readonly branches: readonly JsonObject[] };
    expect(branches[1]).toMatchObject({ branch: 'b2', opened: { cause: 'correction' } });
    expect(JSON.stringify(branches[1])).toContain('vendor.asked a2 from /spec');
    const screen = await taskOf('screens', run);
    expect(screen.data.input).toBe(2);
    await given.answer(screen, 'fine');
    await given.answer(await taskOf('sorts', run), null);
    const pay = await taskOf('pays', run);
    expect(pay.data.input).toBe(2);
    await given.answer(pay, { paid: 2 });
    expect(await given.get(`runs/${run}/result?waitMs=30000`)).toMatchObject({ state: 'complete', outcome: 'succeeded' });
    expect((await given.get(`runs/${run}/verify?when=quiescent`))['violations']).toEqual([]);
  });

  it('opens one branch for one event, and none for an event that only says the same again', async () => {
    const { run } = runOf(await ask('b1', 'V-2', { limit: 1 }));
    expect(await ask('b2', 'V-2', { limit: 1 })).toMatchObject({ outcome: 'attached', runs: [{ run }] });
    const twice = await Promise.all([ask('b3', 'V-2', { limit: 3 }), ask('b3', 'V-2', { limit: 3 })]);
    expect(await ask('b3', 'V-2', { limit: 3 })).toMatchObject({ outcome: 'branched', runs: [{ run, branch: 'b2' }] });
    expect(twice.map(({ receiptId }) => receiptId)).toEqual([twice[0]?.['receiptId'], twice[0]?.['receiptId']]);
    expect(await ask('b4', 'V-2', { limit: 3 })).toMatchObject({ outcome: 'attached' }); // As the branch has it.
    expect(await ask('b5', 'V-2', { limit: 1 })).toMatchObject({ outcome: 'branched', runs: [{ branch: 'b3' }] });
    expect((await given.get(`runs/${run}`))['head']).toBe('b3');
  });

  it('refuses, with the plan, what would leave a confirmed effect behind unasked, and an input that is none (U-5)', async () => {
    const { run } = runOf(await ask('c1', 'V-3', { limit: 1 }));
    expect(await ask('c2', 'V-3', { limit: 'much' })).toMatchObject({
      outcome: 'refused',
      runs: [{ run }],
      problem: { code: 'branch_refused', errors: [{ pointer: '/changes/0', rule: 'type' }] },
    });
    await given.answer(await taskOf('screens', run), 'fine');
    await given.answer(await taskOf('sorts', run), null);
    const pay = await taskOf('pays', run);
    expect(await ask('c3', 'V-3', { limit: 2 })).toMatchObject({ problem: { errors: [{ rule: 'effect_in_doubt' }] } }); // It may happen now.
    await given.answer(pay, { paid: 1 });
    await given.get(`runs/${run}/result?waitMs=30000`);
    const refused = await ask('c4', 'V-3', { limit: 2 });
    expect(refused).toMatchObject({ outcome: 'refused', problem: { code: 'branch_refused', plan: { unresolved: ['effects/V-3'] } } });
    expect((await given.get(`runs/${run}`))['head']).toBe('main');
  });

  it('recovers a run that has ended, and is told so over HTTP, too', async () => {
    const { runId } = (await given.call('POST', 'workflows/vendor/runs', { key: 'V-4', input: { limit: 1 } })).json;
    const run = String(runId);
    await given.call('POST', `runs/${run}:cancel`, {});
    await given.get(`runs/${run}/result?waitMs=30000`);
    const again = await given.call('POST', 'workflows/vendor/runs', { key: 'V-4', input: { limit: 4 } });
    expect([again.status, again.json]).toMatchObject([202, { runId: run, outcome: 'branched', branch: 'b2' }]);
    expect((await taskOf('screens', run)).data.input).toBe(4);
    expect(await given.call('POST', 'workflows/vendor/runs', { key: 'V-4', input: { limit: 4 } })).toMatchObject({
      status: 202,
      json: { runId: run, outcome: 'attached' },
    });
  });
});

describe('the other duplicates', () => {
  it.each([
    ['attach', 'attached', 1],
    ['reject', 'refused', 1],
    ['new_run', 'started', 2],
  ])('%s: %s', async (duplicates, outcome, runs) => {
    const type = `vendor.${duplicates.replace('_', '-')}`;
    const name = `with-${duplicates.replace('_', '-')}`;
    const other = { ...definition, name, on: [start(type, { duplicates })] };
    expect((await given.call('PUT', `definitions/${name}`, other)).status).toBe(201);
    const first = await ask(`${type}-1`, 'V-9', { limit: 1 }, type);
    const second = await ask(`${type}-2`, 'V-9', { limit: 2 }, type);
    expect([first['outcome'], second['outcome']]).toEqual(['started', outcome]);
    expect(new Set([runOf(first).run, runOf(second).run]).size).toBe(runs);
  });
});
