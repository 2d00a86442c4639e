import { describe, expect, it } from '@jest/globals';
import { GivenRun, planWith } from '../spec/given-run.js';

const steps = [{ id: 'tell', emit: { type: 'vendor.filed', key: '${input.key}', data: { of: '${run.key}' } } }];

describe('a run', () => {
  it('starts once, whoever comes second (P-9, I-29)', () => {
    const run = new GivenRun(planWith([{ id: 'a', task: { queue: 'q' } }]));
    run.start();
    expect(run.start({ other: true })).toBe('nothing: duplicate');
  });

  it('refuses an input that breaks its schema, naming the field and the rule', () => {
    const run = new GivenRun(planWith(steps, { input: { type: 'object', required: ['key'], properties: { key: { type: 'string' } } } }));
    const { decision } = run.decide({
      type: 'StartRun',
      data: {
        ns: 'default',
        workflow: 'spec',
        runId: run.state.runId,
        input: {},
        definition: { name: 'spec', version: '1.0.0', hash: run.plan.hash, revision: 0 },
        policies: [],
        cause: { receiptId: run.state.runId, source: 's', id: 'i', type: 't' },
      },
    });
    expect(decision).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'input_invalid', errors: [{ pointer: expect.stringContaining('/input') as never, rule: 'required' }] },
    });
  });

  it('keeps its intent and tells the world from its own history (C-INTENT)', () => {
    const run = new GivenRun(planWith(steps, { goal: 'File ${input.key}', output: { value: { told: '${steps.tell.output.eventId}' } } }));
    expect(run.start({ key: 'V-1' })).toEqual(['RunStarted', 'EventEmitted(tell)', 'RunCompleted']);
    expect(run.history[0]?.data).toMatchObject({ goal: 'File V-1', key: 'k' });
    expect(run.history[1]?.data).toMatchObject({ type: 'vendor.filed', key: 'V-1', data: { of: 'k' }, hops: 1 });
    expect(run.history[2]?.data).toMatchObject({ output: { told: (run.history[1]?.data as { eventId: string }).eventId } });
  });

  it('whose definition has no answer for a wait or an emit fails with its reason', () => {
    const run = new GivenRun(planWith(steps));
    expect(run.start({})).toEqual(['RunStarted', 'RunFailed(tell)']);
    expect(run.history.at(-1)?.data).toMatchObject({ bucket: 'definition_error' });
  });
});
