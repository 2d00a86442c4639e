import { describe, expect, it } from '@jest/globals';
import { instantOf } from '@cairn/kernel';
import { GivenRun, planWith, START } from '../spec/given-run.js';

const plan = planWith([
  { id: 'a', task: { queue: 'q' } },
  { id: 'b', after: [], optional: true, task: { queue: 'q' } },
]);

describe('a retry', () => {
  it('changes nothing when the same judgement is delivered twice', () => {
    const run = new GivenRun(plan);
    run.start();
    const attempt = run.attempt('a');
    run.fail('a');
    expect(run.decideRetry(attempt, 'retry', instantOf(START + 100))).toEqual(['RetryDecided(a)']);
    expect(run.decideRetry(attempt, 'retry')).toBe('nothing: duplicate');
  });

  it('waits until its time by the clock of execution, then takes the next number with the same input (I-13)', () => {
    const run = new GivenRun(plan);
    run.start();
    const attempt = run.attempt('a');
    run.fail('a');
    run.decideRetry(attempt, 'retry', instantOf(START + 100));
    const ring = { type: 'WakeRun', data: { kind: 'retry', attemptId: attempt } } as const;
    expect(run.when(ring)).toBe('nothing: early');
    run.now = START + 100;
    expect(run.when(ring)).toEqual(['StepStarted(a)']);
    expect(run.when(ring)).toBe('nothing: late');
    expect(run.state.path.steps.get('a')?.attempts).toBe(2);
  });

  it('that is not worth it blocks the run, visibly; an optional step counts as skipped', () => {
    const run = new GivenRun(plan);
    run.start();
    const [a, b] = [run.attempt('a'), run.attempt('b')];
    run.fail('a');
    run.fail('b');
    expect(run.decideRetry(a, 'block')).toEqual(['RetryDecided(a)']);
    expect(run.state.status).toMatchObject({ state: 'blocked', sub: 'awaiting_decision' });
    expect(run.decideRetry(b, 'block')).toEqual(['RetryDecided(b)', 'StepSkipped(b)']);
  });

  it('that is given up on an optional step owes nothing any more, while another one does', () => {
    const run = new GivenRun(plan);
    run.start();
    const [a, b] = [run.attempt('a'), run.attempt('b')];
    run.fail('a');
    run.fail('b');
    expect(run.decideRetry(b, 'give_up')).toEqual(['RetryDecided(b)', 'StepSkipped(b)']);
    expect(run.state.path.counts.retriesOwed).toBe(1);
    expect(run.decideRetry(a, 'retry')).toEqual(['RetryDecided(a)', 'StepStarted(a)']);
  });

  it('that is given up ends the run', () => {
    const run = new GivenRun(plan);
    run.start();
    const attempt = run.attempt('a');
    run.fail('a');
    expect(run.decideRetry(attempt, 'give_up')).toEqual(['RetryDecided(a)', 'RunGaveUp(a)']);
    expect(run.state.status).toMatchObject({ state: 'complete', sub: 'gave_up' });
  });
});
