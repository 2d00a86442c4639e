import { describe, expect, it } from '@jest/globals';
import { GivenRun, planWith } from '../spec/given-run.js';

// What became of an effect of which nobody knows: found out by its own queue, or said by a person, and undone (C-EFFECT, U-5, I-17).

const KEY = 'invoice:I-1';
const pay = (effect: object = {}, more: object = {}) => ({
  id: 'pay',
  purpose: 'pay the invoice',
  effect: {
    queue: 'bank',
    key: 'invoice:${input.id}',
    guarantee: 'reconcile',
    reconcile: 'bank-lookup',
    compensate: 'bank-undo',
    ...effect,
  },
  input: { amount: '${input.amount}' },
  ...more,
});
const tell = { id: 'tell', task: { queue: 'mail' }, input: { of: '${steps.pay.output}' } };

const started = (plan = planWith([pay(), tell])): GivenRun => {
  const run = new GivenRun(plan);
  run.start({ id: 'I-1', amount: 5 });
  return run;
};
const take = (run: GivenRun) => run.when({ type: 'TakeAttempt', data: { attemptId: run.attempt('pay'), handler: 'h/1', nonce: 's1' } });
const lapse = (run: GivenRun, step = 'pay') =>
  run.when({ type: 'RecordLapse', data: { attemptId: run.attempt(step), by: 'lease', message: 'no heartbeat' } });
/** Granted and then lost. */
const lost = (plan?: ReturnType<typeof planWith>): GivenRun => {
  const run = started(plan);
  take(run);
  lapse(run);
  return run;
};
const failureOf = (run: GivenRun, step = 'pay'): string =>
  [...run.state.path.retries.entries()].find(([, retry]) => retry.step === step && !retry.settled)?.[0] ?? '';
const effect = (run: GivenRun) => run.state.ledger.effects.get(KEY);
const reconcile = (run: GivenRun, data: object = {}, cause?: string) =>
  run.when({ type: 'ReconcileEffect', data: { key: KEY, ...data } }, cause);
const compensate = (run: GivenRun) => run.when({ type: 'CompensateEffect', data: { key: KEY, reason: 'paid the wrong one' } });

describe('an effect that is reconciled', () => {
  it('is asked for in the append that leaves it unknown, with what its attempt was given', () => {
    const run = started();
    take(run);
    expect(lapse(run)).toEqual(['StepFailed(pay)', 'EffectUnknown(pay)', 'StepStarted(pay/reconcile)']);
    expect(run.history.at(-1)?.data).toMatchObject({ queue: 'bank-lookup', input: { amount: 5 }, effect: { key: KEY, suffix: 0 } });
    expect(run.state.status.state).toBe('active');
  });

  it('is not asked for where nobody was granted it: that has certainly not happened', () => {
    expect(lapse(started())).toEqual(['StepFailed(pay)', 'EffectAbsent(pay)']);
  });

  it('that is found has happened: its step goes on with the result, and nothing is called again', () => {
    const run = lost();
    expect(run.succeed('pay/reconcile', { found: true, result: { booking: 'B-7' } })).toEqual([
      'StepSucceeded(pay/reconcile)',
      'EffectConfirmed(pay)',
      'CheckpointReached(pay)',
      'StepStarted(tell)',
    ]);
    expect(effect(run)).toMatchObject({ status: 'confirmed', suffix: 0 });
    expect(run.history.at(-1)?.data).toMatchObject({ input: { of: { booking: 'B-7' } } });
    expect(run.succeed('tell')).toContain('RunCompleted');
  });

  it('that is not there is judged as any failure, and goes again under its key and suffix', () => {
    const run = lost();
    expect(run.succeed('pay/reconcile', { found: false })).toEqual(['StepSucceeded(pay/reconcile)', 'EffectAbsent(pay)']);
    expect(run.state.status.state).toBe('retrying');
    expect(run.decideRetry(failureOf(run), 'retry')).toEqual(['RetryDecided(pay)', 'StepStarted(pay)', 'EffectIntended(pay)']);
    expect(effect(run)).toMatchObject({ status: 'intended', suffix: 0, inDoubt: false });
  });

  it('of which nobody can tell blocks, and is asked for again by a person', () => {
    const run = lost();
    expect(run.succeed('pay/reconcile', { found: null })).toEqual(['StepSucceeded(pay/reconcile)', 'EffectUnknown(pay)']);
    run.decideRetry(failureOf(run), 'block');
    expect(run.state.status).toMatchObject({ state: 'blocked', sub: 'effect_unknown' });
    expect(reconcile(run)).toEqual(['StepStarted(pay/reconcile)']);
    expect(reconcile(run)).toBe('nothing: duplicate');
    expect(run.succeed('pay/reconcile', { found: true, result: 1 })).toContain('StepStarted(tell)');
    expect(run.state.path.counts).toMatchObject({ blocked: 0, unknown: 0 });
  });

  it('is not tried again before it is known (U-5)', () => {
    const run = lost();
    expect(run.decideRetry(failureOf(run), 'retry')).toBe('nothing: early');
    expect(run.decideRetry(failureOf(run), 'block')).toBe('nothing: early');
    run.succeed('pay/reconcile', { found: null });
    // Whoever decides so nevertheless: nothing goes out, and the oracle says so.
    expect(run.decideRetry(failureOf(run), 'retry')).toEqual(['RetryDecided(pay)', 'StepStarted(pay)', 'StepFailed(pay)']);
    expect(effect(run)?.status).toBe('unknown');
  });

  it('whose question fails is asked again by the policy, and the step stays unjudged meanwhile', () => {
    const run = lost();
    expect(run.fail('pay/reconcile')).toEqual(['StepFailed(pay/reconcile)']);
    expect(run.decideRetry(failureOf(run, 'pay/reconcile'), 'retry')).toEqual([
      'RetryDecided(pay/reconcile)',
      'StepStarted(pay/reconcile)',
    ]);
    expect(run.history.at(-1)?.data).toMatchObject({ attempt: 2, effect: { key: KEY, suffix: 0 } });
    expect(lapse(run, 'pay/reconcile')).toEqual(['StepFailed(pay/reconcile)']);
    run.decideRetry(failureOf(run, 'pay/reconcile'), 'block');
    run.decideRetry(failureOf(run), 'block');
    expect(run.state.status).toMatchObject({ state: 'blocked', sub: 'effect_unknown' });
    expect(reconcile(run, { found: false, reason: 'the bank says so' })).toEqual(['EffectAbsent(pay)']);
    expect(run.state.path.counts).toMatchObject({ blocked: 0, unknown: 0, retriesOwed: 1 });
  });

  it.each([
    [{}, '/found must be true, false or null'],
    [{ found: 'yes' }, '/found must be true, false or null'],
    [{ found: true, result: {} }, '/result'],
    [{ found: true, result: { booking: 'x'.repeat(70_000) } }, '/result must have at most'],
  ])('is not settled by the answer %j', (answer, says) => {
    const run = lost(planWith([pay({}, { output: { type: 'object', required: ['booking'] } })]));
    expect(run.succeed('pay/reconcile', answer)).toEqual(['StepFailed(pay/reconcile)']);
    expect(run.history.at(-1)?.data).toMatchObject({
      failure: { code: 'invalid_output', message: expect.stringContaining(says) as never },
    });
    expect(effect(run)?.status).toBe('unknown');
  });

  it('waits while the run is paused, and is asked for when it goes on', () => {
    const run = started();
    take(run);
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(lapse(run)).toEqual(['StepFailed(pay)', 'EffectUnknown(pay)']);
    expect(run.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual(['RunUnpaused', 'StepStarted(pay/reconcile)']);
  });

  it('that is found while the run is paused lets it go on later', () => {
    const run = lost();
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(run.succeed('pay/reconcile', { found: true, result: 1 })).toEqual([
      'StepSucceeded(pay/reconcile)',
      'EffectConfirmed(pay)',
      'CheckpointReached(pay)',
    ]);
    expect(run.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual(['RunUnpaused', 'StepStarted(tell)']);
  });

  it('is found out after the end as well, which stays as it is (I-8)', () => {
    const run = started();
    take(run);
    run.when({ type: 'CancelRun', data: {} });
    expect(reconcile(run)).toEqual(['StepStarted(pay/reconcile)']);
    expect(run.succeed('pay/reconcile', { found: true, result: 1 })).toEqual(['StepSucceeded(pay/reconcile)', 'EffectConfirmed(pay)']);
    expect(effect(run)?.status).toBe('confirmed');
    expect(run.state.status).toMatchObject({ state: 'complete', sub: 'cancelled' });
    expect(compensate(run)).toEqual(['StepStarted(pay/compensate)']);
    expect(lapse(run, 'pay/compensate')).toEqual(['StepFailed(pay/compensate)']);
    expect(compensate(run)).toEqual(['StepStarted(pay/compensate)']);
    expect(run.succeed('pay/compensate', { refund: 1 })).toEqual(['StepSucceeded(pay/compensate)', 'EffectCompensated(pay)']);
    expect(effect(run)?.status).toBe('compensated');
  });
});

describe('what a person says of an effect', () => {
  const none = planWith([pay({ guarantee: 'none', reconcile: undefined, compensate: undefined }), tell]);
  const blocked = (): GivenRun => {
    const run = lost(none);
    run.decideRetry(failureOf(run), 'block');
    return run;
  };

  it('settles it as found: the step goes on with the result', () => {
    const run = blocked();
    const said = { found: true, result: { booking: 'B-1' }, reason: 'it stands on the account' };
    expect(reconcile(run, said, 'r1')).toEqual(['EffectConfirmed(pay)', 'CheckpointReached(pay)', 'StepStarted(tell)']);
    expect(run.history.at(-3)?.data).toMatchObject({ by: 'person', receipt: { booking: 'B-1' }, because: 'it stands on the account' });
    expect(reconcile(run, said, 'r1')).toBe('nothing: duplicate');
    expect(reconcile(run, said)).toBe('rejected: effect_settled');
  });

  it('settles it as absent: its failure is judged anew, and then it goes again', () => {
    const run = blocked();
    expect(reconcile(run, { found: false, reason: 'no' }, 'r1')).toEqual(['EffectAbsent(pay)']);
    expect(reconcile(run, { found: false, reason: 'no' }, 'r1')).toBe('nothing: duplicate');
    expect(run.state.status.state).toBe('retrying');
    expect(run.decideRetry(failureOf(run), 'retry')).toContain('EffectIntended(pay)');
    expect(effect(run)).toMatchObject({ status: 'intended', suffix: 0 });
  });

  it('is needed where the step names nobody who could find out', () => {
    expect(reconcile(blocked())).toBe('rejected: reconcile_undeclared');
  });

  it.each([
    ['of an effect that there is not', 'other', 'rejected: effect_not_found'],
    ['of one that is under way', KEY, 'rejected: effect_under_way'],
  ])('is refused %s', (_, key, answer) => {
    const run = started(none);
    expect(run.when({ type: 'ReconcileEffect', data: { key, found: true, reason: 'x' } })).toBe(answer);
  });

  it('must be a result that the step can have', () => {
    const run = lost(planWith([pay({}, { output: { type: 'object', required: ['booking'] } })]));
    expect(reconcile(run, { found: true, result: {}, reason: 'x' })).toBe('rejected: input_invalid');
  });
});

describe('a confirmed effect', () => {
  const confirmed = (plan?: ReturnType<typeof planWith>): GivenRun => {
    const run = started(plan);
    run.succeed('pay', { booking: 'B-1' });
    return run;
  };

  it('is undone by its compensate queue, and its step stays as it is', () => {
    const run = confirmed();
    expect(compensate(run)).toEqual(['StepStarted(pay/compensate)']);
    expect(run.history.at(-1)?.data).toMatchObject({ queue: 'bank-undo', purpose: 'paid the wrong one', effect: { key: KEY, suffix: 0 } });
    expect(compensate(run)).toBe('nothing: duplicate');
    expect(run.succeed('pay/compensate', { refund: 'R-1' })).toEqual(['StepSucceeded(pay/compensate)', 'EffectCompensated(pay)']);
    expect(effect(run)?.status).toBe('compensated');
    expect(run.state.path.steps.get('pay')).toMatchObject({ status: 'succeeded', output: { value: { booking: 'B-1' } } });
    expect(compensate(run)).toBe('rejected: effect_not_confirmed');
    expect(run.succeed('tell')).toContain('RunCompleted');
  });

  it('cannot be undone where nobody is named who could', () => {
    expect(compensate(confirmed(planWith([pay({ compensate: undefined }), tell])))).toBe('rejected: compensate_undeclared');
  });
});
