import { describe, expect, it } from '@jest/globals';
import { canon, sha256Hex } from '@cairn/kernel';
import { GivenRun, planWith } from '../spec/given-run.js';
import { fingerprintOf } from './fingerprint.js';

const pay = (more: object = {}) => ({
  id: 'pay',
  purpose: 'pay the invoice',
  effect: { queue: 'payments', key: 'invoice:${input.id}', ...more },
  input: { id: '${input.id}', amount: '${input.amount}' },
});
const none = planWith([pay({ guarantee: 'none' })]);
const idempotent = planWith([pay({ guarantee: 'idempotent' })]);

const started = (plan: typeof none, input = { id: 'I-1', amount: 5 }): GivenRun => {
  const run = new GivenRun(plan);
  run.start(input);
  return run;
};
const effect = (run: GivenRun, key = 'invoice:I-1') => run.state.ledger.effects.get(key);
const failed = (run: GivenRun, sideEffect?: 'none' | 'applied' | 'unknown') =>
  run.reply(run.attempt('pay'), {
    kind: 'failed',
    failure: { by: 'handler', message: 'no', ...(sideEffect === undefined ? {} : { sideEffect }) },
  });
const take = (run: GivenRun, nonce: string, attemptId = run.attempt('pay')) =>
  run.when({ type: 'TakeAttempt', data: { attemptId, handler: 'h/1', nonce } });
const lapse = (run: GivenRun) =>
  run.when({ type: 'RecordLapse', data: { attemptId: run.attempt('pay'), by: 'lease', message: 'no heartbeat' } });

describe('an effect', () => {
  it('is intended ahead of dispatch, after its checkpoint, in one append (C-EFFECT, I-18)', () => {
    const run = new GivenRun(none);
    expect(run.start({ id: 'I-1', amount: 5 })).toEqual([
      'RunStarted',
      'CheckpointReached(pay)',
      'StepStarted(pay)',
      'EffectIntended(pay)',
    ]);
    expect(run.history[1]).toMatchObject({ data: { name: 'pay.before', kind: 'pre_effect' } });
    expect(effect(run)).toMatchObject({ status: 'intended', suffix: 0, step: 'pay' });
  });

  it('that succeeds is confirmed with its checkpoint, and the ledger has the digest of the result', () => {
    const run = started(none);
    expect(run.succeed('pay', { booking: 'B-7' })).toEqual([
      'StepSucceeded(pay)',
      'EffectConfirmed(pay)',
      'CheckpointReached(pay)',
      'RunCompleted',
    ]);
    expect(run.history.at(-2)).toMatchObject({ data: { name: 'pay.after', kind: 'post_effect' } });
    expect(effect(run)).toMatchObject({ status: 'confirmed', result: sha256Hex(canon({ booking: 'B-7' })) });
  });

  it.each([
    ['none', 'EffectAbsent(pay)', 'absent', 'awaiting_decision', 'the handler said so'],
    ['unknown', 'EffectUnknown(pay)', 'unknown', 'effect_unknown', 'the handler said so'],
    ['applied', 'EffectUnknown(pay)', 'unknown', 'effect_unknown', 'the handler said so'],
    [undefined, 'EffectUnknown(pay)', 'unknown', 'effect_unknown', 'the handler did not say'],
  ] as const)('that fails with side effect %s leaves %s, and blocks as such', (sideEffect, event, status, sub, because) => {
    const run = started(none);
    const attempt = run.attempt('pay');
    expect(failed(run, sideEffect)).toEqual(['StepFailed(pay)', event]);
    expect(run.history.at(-1)?.data).toMatchObject({ because });
    expect(effect(run)?.status).toBe(status);
    expect(run.decideRetry(attempt, 'block')).toEqual(['RetryDecided(pay)']);
    expect(run.state.status).toMatchObject({ state: 'blocked', sub });
  });

  it('whose output breaks the schema was applied: unknown, and no confirmation', () => {
    const run = started(planWith([{ ...pay({ guarantee: 'none' }), output: { type: 'object', required: ['booking'] } }]));
    expect(run.succeed('pay', {})).toEqual(['StepFailed(pay)', 'EffectUnknown(pay)']);
    expect(run.history.at(-2)).toMatchObject({ data: { failure: { code: 'invalid_output', sideEffect: 'applied' } } });
  });

  it('that an attempt left unknown stays unknown, whatever a later attempt says of itself (I-17)', () => {
    const run = started(idempotent);
    const first = run.attempt('pay');
    failed(run);
    run.decideRetry(first, 'retry');
    const second = run.attempt('pay');
    expect(failed(run, 'none')).toEqual(['StepFailed(pay)', 'EffectUnknown(pay)']);
    expect(run.decideRetry(second, 'block')).toEqual(['RetryDecided(pay)']);
    expect(run.state.status).toMatchObject({ state: 'blocked', sub: 'effect_unknown' });
  });

  it.each([
    ['idempotent', true, 'EffectUnknown(pay)', 'another handler may have had it, too'],
    ['idempotent', false, 'EffectAbsent(pay)', 'the handler said so'],
    ['none', true, 'EffectAbsent(pay)', 'the handler said so'], // It is with nobody who was not granted it.
  ] as const)('of guarantee %s whose handler says that nothing happened, with others at it: %s', (guarantee, shared, event, because) => {
    const run = started(planWith([pay({ guarantee })]));
    const attemptId = run.attempt('pay');
    const result = { kind: 'failed', failure: { by: 'handler', message: 'no', sideEffect: 'none' } } as const;
    const told = run.when({ type: 'RecordReply', data: { attemptId, replyId: `${attemptId}:end`, result, shared } });
    expect(told).toEqual(['StepFailed(pay)', event]);
    expect(run.history.at(-1)?.data).toMatchObject({ because });
  });

  it('in doubt never lets another step out under its key, although its own is optional and given up', () => {
    const again = { id: 'again', purpose: 'x', effect: { queue: 'q', key: 'invoice:I-1', guarantee: 'idempotent' } };
    const run = started(planWith([{ ...pay({ guarantee: 'idempotent' }), optional: true }, again]));
    const first = run.attempt('pay');
    failed(run);
    run.decideRetry(first, 'retry');
    const second = run.attempt('pay');
    failed(run, 'none');
    expect(run.decideRetry(second, 'give_up')).toEqual([
      'RetryDecided(pay)',
      'StepSkipped(pay)',
      'StepStarted(again)',
      'StepFailed(again)',
    ]);
    expect(effect(run)).toMatchObject({ status: 'unknown', suffix: 0, step: 'pay' });
  });

  it('is tried again under the same key, without a second checkpoint (I-16, I-18)', () => {
    const run = started(idempotent);
    const attempt = run.attempt('pay');
    failed(run);
    expect(run.decideRetry(attempt, 'retry')).toEqual(['RetryDecided(pay)', 'StepStarted(pay)', 'EffectIntended(pay)']);
    expect(effect(run)).toMatchObject({ status: 'intended', suffix: 0 });
    expect(run.succeed('pay')).toContain('EffectConfirmed(pay)');
  });
});

describe('a claim', () => {
  it('is granted once; the same nonce is granted again, another never', () => {
    const run = started(none);
    expect(take(run, 's1')).toEqual(['AttemptTaken(pay)']);
    expect(take(run, 's1')).toBe('nothing: duplicate');
    expect(take(run, 's2')).toBe('rejected: attempt_taken');
  });

  it('of an attempt that is over is late', () => {
    const run = started(none);
    const attempt = run.attempt('pay');
    failed(run, 'none');
    expect(take(run, 's1', attempt)).toBe('nothing: late');
  });

  it.each([
    ['none', false, 'EffectAbsent(pay)', 'none'],
    ['none', true, 'EffectUnknown(pay)', 'unknown'],
    ['idempotent', false, 'EffectUnknown(pay)', 'unknown'],
  ] as const)('of guarantee %s, granted: %s, then lost: %s (I-17)', (guarantee, granted, event, sideEffect) => {
    const run = started(guarantee === 'none' ? none : idempotent);
    if (granted) take(run, 's1');
    expect(lapse(run)).toEqual(['StepFailed(pay)', event]);
    expect(run.history.at(-2)).toMatchObject({ data: { failure: { code: 'handler_lost', sideEffect } } });
  });
});

describe('an effect key', () => {
  const twice = (second: object) =>
    planWith([pay({ guarantee: 'none' }), { id: 'again', purpose: 'again', effect: { queue: 'payments', key: 'invoice:I-1' }, ...second }]);

  it.each([
    ['another meaning', { input: { other: true } }],
    ['the same meaning', { input: { id: '${input.id}', amount: '${input.amount}' } }],
  ])('that is used up is refused for %s, and nothing is sent', (_, second) => {
    const run = started(twice(second));
    expect(run.succeed('pay').slice(-2)).toEqual(['StepStarted(again)', 'StepFailed(again)']);
    expect(run.history.at(-1)).toMatchObject({ data: { failure: { by: 'decider', code: 'definition_error', sideEffect: 'none' } } });
    expect(effect(run)?.status).toBe('confirmed');
  });

  it('that certainly did nothing takes the next suffix for another meaning', () => {
    const run = started(
      planWith([
        { ...pay({ guarantee: 'none' }), optional: true },
        { id: 'again', purpose: 'x', effect: { queue: 'q', key: 'invoice:I-1' } },
      ]),
    );
    const attempt = run.attempt('pay');
    failed(run, 'none');
    expect(run.decideRetry(attempt, 'block')).toContain('EffectIntended(again)');
    expect(effect(run)).toMatchObject({ status: 'intended', suffix: 1, step: 'again' });
  });

  it('that reads like a key with a suffix is refused', () => {
    const run = new GivenRun(none);
    expect(run.start({ id: 'I#1', amount: 1 }).slice(-2)).toEqual(['StepStarted(pay)', 'StepFailed(pay)']);
  });

  it('that cannot be evaluated fails the attempt before anything is intended', () => {
    const run = new GivenRun(none);
    expect(run.start({ amount: 1 }).slice(-2)).toEqual(['StepStarted(pay)', 'StepFailed(pay)']);
  });

  it('has a fingerprint of the named fields alone, in their order', () => {
    expect(fingerprintOf(['/amount', '/to/0'], { amount: 5, to: ['x'], note: 'a' })).toBe(
      sha256Hex(canon([['/amount', 5], ['/to/0', 'x']])), // prettier-ignore
    );
    expect(fingerprintOf(null, { a: 1 })).toBe(sha256Hex(canon([['', { a: 1 }]])));
    expect(fingerprintOf(['/missing'], {})).toBe(sha256Hex(canon([['/missing', null]])));
  });
});

describe('the end of a run', () => {
  it('leaves effects under way unknown in the same append, and waits for no handler (W-7, B-46)', () => {
    const run = started(planWith([pay({ guarantee: 'none' }), { id: 'w', after: [], wait: { any: [{ signal: 'go' }] } }]));
    const attempt = run.attempt('pay');
    take(run, 's1');
    const cancel = { type: 'CancelRun', data: { reason: 'wrong invoice' } } as const;
    expect(run.when(cancel)).toEqual(['WaitWithdrawn(w)', 'EffectUnknown(pay)', 'RunCancelled']);
    expect(run.state.status).toMatchObject({ state: 'complete', sub: 'cancelled' });
    expect(run.when(cancel)).toBe('nothing: duplicate');
    expect(run.reply(attempt, { kind: 'succeeded', output: {} })).toEqual(['LateResultRecorded(pay)']);
    expect(effect(run)?.status).toBe('unknown');
  });

  it('cannot be cancelled when it came otherwise', () => {
    const run = started(none);
    run.succeed('pay');
    expect(run.when({ type: 'CancelRun', data: {} })).toBe('nothing: late');
  });
});
