import { describe, expect, it } from '@jest/globals';
import { CLOCK_SKEW_MS, instantOf } from '@cairn/kernel';
import { deserializeState, serializeState } from '../snapshot.js';
import { GivenRun, planWith, START } from '../spec/given-run.js';

const pause = { type: 'PauseRun', data: { by: 'operator', reason: 'look' } } as const;
const unpause = { type: 'UnpauseRun', data: { by: 'operator' } } as const;

describe('a paused run', () => {
  it('is blocked, takes what comes and starts nothing; then goes on with all of it', () => {
    const run = new GivenRun(
      planWith([
        { id: 'a', task: { queue: 'q' }, checkpoint: 'first' },
        { id: 'w', after: [], wait: { any: [{ signal: 'go' }] } },
        { id: 'c', after: ['a', 'w'], task: { queue: 'q' } },
      ]),
    );
    run.start();
    expect(run.when(pause)).toEqual(['RunPaused']);
    expect(run.when(pause)).toBe('nothing: duplicate');
    expect(run.state.status).toMatchObject({ state: 'blocked', sub: 'paused' });
    expect(run.succeed('a')).toEqual(['StepSucceeded(a)']);
    expect(run.event('w', 'cairn.run.signal.go.v1')).toEqual(['WaitTriggered(w)', 'WaitSatisfied(w)']);
    expect(run.when(unpause)).toEqual(['RunUnpaused', 'CheckpointReached(a)', 'StepStarted(c)']);
    expect(run.when(unpause)).toBe('nothing: duplicate');
    expect(run.state.status.state).toBe('active');
  });

  it('is not paused again by the same request when the bus delivers it a second time, after it went on (I-28)', () => {
    const run = new GivenRun(planWith([{ id: 'a', task: { queue: 'q' } }]));
    run.start();
    expect(run.when(pause, 'receipt-1')).toEqual(['RunPaused']);
    expect(run.when(unpause, 'receipt-2')).toEqual(['RunUnpaused']);
    expect(run.when(pause, 'receipt-1')).toBe('nothing: duplicate');
    expect(run.when(pause, 'receipt-3')).toEqual(['RunPaused']);
    expect(run.when(unpause, 'receipt-2')).toBe('nothing: duplicate');
    expect(deserializeState(serializeState(run.state)).ledger.controls).toEqual(['receipt-1', 'receipt-2', 'receipt-3']);
  });

  it('answers a request that it carried out as done even when it has ended since', () => {
    const run = new GivenRun(planWith([{ id: 'a', task: { queue: 'q' } }]));
    run.start();
    run.when(pause, 'receipt-1');
    run.succeed('a');
    expect(run.when(unpause, 'receipt-2')).toEqual(['RunUnpaused', 'RunCompleted']);
    expect(run.when(unpause, 'receipt-2')).toBe('nothing: duplicate');
    expect(run.when(unpause, 'receipt-3')).toBe('nothing: late');
  });

  it('does not complete either', () => {
    const run = new GivenRun(planWith([{ id: 'a', task: { queue: 'q' } }]));
    run.start();
    run.when(pause);
    expect(run.succeed('a')).toEqual(['StepSucceeded(a)']);
    expect(run.when(unpause)).toEqual(['RunUnpaused', 'RunCompleted']);
  });

  it('holds a retry whose time comes, and starts it when it goes on', () => {
    const run = new GivenRun(planWith([{ id: 'a', task: { queue: 'q' } }]));
    run.start();
    const attempt = run.attempt('a');
    run.fail('a');
    run.when(pause);
    expect(run.decideRetry(attempt, 'retry', instantOf(START + 100))).toEqual(['RetryDecided(a)']);
    const ring = { type: 'WakeRun', data: { kind: 'retry', attemptId: attempt } } as const;
    expect(run.when(ring)).toBe('nothing: early');
    run.now = START + 200;
    expect(run.when(ring)).toBe('nothing: early'); // Whoever lets the run go on may have a clock that is behind.
    run.now = START + 100 + CLOCK_SKEW_MS;
    expect(run.when(ring)).toBe('nothing: late');
    expect(run.when(unpause)).toEqual(['RunUnpaused', 'StepStarted(a)']);
  });

  it('goes on with a loop whose turn ended meanwhile before it starts what comes after the loop', () => {
    const run = new GivenRun(
      planWith([
        { id: 'poll', task: { queue: 'q' }, repeat: { until: 'turn == 2', max: 3 } },
        { id: 'a', after: [], task: { queue: 'q' } },
        { id: 'c', after: ['poll', 'a'], task: { queue: 'q' } },
      ]),
    );
    run.start();
    run.when(pause);
    run.succeed('a');
    run.succeed('poll#1');
    expect(run.when(unpause)).toEqual(['RunUnpaused', 'StepStarted(poll#2)']);
    expect(run.succeed('poll#2')).toEqual(['StepSucceeded(poll#2)', 'StepStarted(c)']);
  });

  it('runs the detour of a wait that expired meanwhile', () => {
    const run = new GivenRun(
      planWith([
        { id: 'w', wait: { any: [{ signal: 'go' }], deadline: '1m', onDeadline: { step: 'late' } } },
        { id: 'late', side: true, task: { queue: 'q' } },
      ]),
    );
    run.start();
    run.when(pause);
    run.now = START + 60_000;
    expect(run.when({ type: 'ExpireWait', data: { waitId: run.waitId('w') } })).toEqual(['WaitExpired(w)']);
    expect(run.when(unpause)).toEqual(['RunUnpaused', 'StepStarted(late)']);
  });

  it('grants no claim', () => {
    const run = new GivenRun(planWith([{ id: 'pay', purpose: 'pay', effect: { queue: 'q', key: 'k' } }]));
    run.start();
    run.when(pause);
    const take = { type: 'TakeAttempt', data: { attemptId: run.attempt('pay'), handler: 'h', nonce: 'n' } } as const;
    expect(run.when(take)).toBe('nothing: early');
    run.when(unpause);
    expect(run.when(take)).toEqual(['AttemptTaken(pay)']);
  });

  it('can be cancelled', () => {
    const run = new GivenRun(planWith([{ id: 'a', task: { queue: 'q' } }]));
    run.start();
    run.when(pause);
    expect(run.when({ type: 'CancelRun', data: {} })).toEqual(['RunCancelled']);
    expect(run.when(unpause)).toBe('nothing: late');
  });
});
