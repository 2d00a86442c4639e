import { describe, expect, it } from '@jest/globals';
import { GivenRun, planWith } from '../spec/given-run.js';

const task = (id: string, more: object = {}): object => ({ id, task: { queue: 'q' }, ...more });

describe('steps', () => {
  it('start and succeed with one append a step: previous result and next start stand together (C-LIGHT)', () => {
    const run = new GivenRun(planWith([task('a'), task('b'), task('c')]));
    expect(run.start()).toEqual(['RunStarted', 'StepStarted(a)']);
    expect(run.succeed('a')).toEqual(['StepSucceeded(a)', 'StepStarted(b)']);
    expect(run.succeed('b')).toEqual(['StepSucceeded(b)', 'StepStarted(c)']);
    expect(run.succeed('c')).toEqual(['StepSucceeded(c)', 'RunCompleted']);
    expect(run.history.length).toBeLessThanOrEqual(10);
    expect(run.state.status).toMatchObject({ state: 'complete', sub: 'succeeded' });
  });

  it('run side by side where `after` allows it, and join all, any or k of them', () => {
    const side = [task('a'), task('b', { after: [] }), task('c', { after: [] })];
    const all = new GivenRun(planWith([...side, task('d', { after: ['a', 'b', 'c'] })]));
    expect(all.start()).toEqual(['RunStarted', 'StepStarted(a)', 'StepStarted(b)', 'StepStarted(c)']);
    expect(all.succeed('b')).toEqual(['StepSucceeded(b)']);
    expect(all.succeed('a')).toEqual(['StepSucceeded(a)']);
    expect(all.succeed('c')).toEqual(['StepSucceeded(c)', 'StepStarted(d)']);

    const any = new GivenRun(planWith([...side, task('d', { after: ['a', 'b', 'c'], join: 'any' })]));
    any.start();
    expect(any.succeed('c')).toEqual(['StepSucceeded(c)', 'StepStarted(d)']);
    expect(any.succeed('a')).toEqual(['StepSucceeded(a)']);

    const two = new GivenRun(planWith([...side, task('d', { after: ['a', 'b', 'c'], join: 2 })]));
    two.start();
    expect(two.succeed('c')).toEqual(['StepSucceeded(c)']);
    expect(two.succeed('a')).toEqual(['StepSucceeded(a)', 'StepStarted(d)']);
  });

  it('are skipped where `when` is false, and what follows goes on with null', () => {
    const run = new GivenRun(
      planWith([task('a'), task('b', { when: 'steps.a.output.go' }), task('c', { input: { of: '${steps.b.output}' } })]),
    );
    run.start();
    expect(run.succeed('a', { go: false })).toEqual(['StepSucceeded(a)', 'StepSkipped(b)', 'StepStarted(c)']);
    expect(run.state.path.steps.get('c')?.work?.input).toEqual({ of: null });
  });

  it('fail as definition errors where an expression has no answer, and are not retried by themselves', () => {
    const run = new GivenRun(planWith([task('a'), task('b', { input: { n: '${steps.a.output.missing}' } })]));
    run.start();
    expect(run.succeed('a', {})).toEqual(['StepSucceeded(a)', 'StepStarted(b)', 'StepFailed(b)']);
    expect(run.history.at(-1)?.data).toMatchObject({ failure: { by: 'decider', code: 'definition_error' } });
    expect(run.state.status.state).toBe('retrying');
  });

  it('refuse an output that breaches the schema, as invalid_output', () => {
    const run = new GivenRun(planWith([task('a', { output: { type: 'object', required: ['n'] } })]));
    run.start();
    const attempt = run.attempt('a');
    expect(run.succeed('a', {})).toEqual(['StepFailed(a)']);
    expect(run.reply(attempt, { kind: 'succeeded', output: {} })).toBe('nothing: duplicate');
    expect(run.history.at(-1)?.data).toMatchObject({ failure: { code: 'invalid_output', details: { errors: [{ rule: 'required' }] } } });
  });

  it('loop until the condition holds, each turn an occurrence of its own', () => {
    const run = new GivenRun(
      planWith([task('poll', { repeat: { until: 'output.done', max: 3 } }), task('b', { input: '${steps.poll.output.n}' })]),
    );
    expect(run.start()).toEqual(['RunStarted', 'StepStarted(poll#1)']);
    expect(run.succeed('poll#1', { done: false })).toEqual(['StepSucceeded(poll#1)', 'StepStarted(poll#2)']);
    expect(run.succeed('poll#2', { done: true, n: 7 })).toEqual(['StepSucceeded(poll#2)', 'StepStarted(b)']);
    expect(run.state.path.steps.get('b')?.work?.input).toBe(7);
  });

  it('end a run whose loop is exhausted', () => {
    const run = new GivenRun(planWith([task('poll', { repeat: { until: 'output.done', max: 1 } })]));
    run.start();
    expect(run.succeed('poll#1', { done: false })).toEqual(['StepSucceeded(poll#1)', 'RunFailed(poll)']);
    expect(run.history.at(-1)?.data).toMatchObject({ bucket: 'loop_exhausted' });
  });

  it('write nothing for an accepted reply that comes again, and record every other late one once (W-4, B-29, I-10)', () => {
    const run = new GivenRun(planWith([task('a'), task('b')]));
    run.start();
    const first = run.attempt('a');
    run.succeed('a');
    expect(run.reply(first, { kind: 'succeeded', output: {} })).toBe('nothing: duplicate');
    expect(run.reply(first, { kind: 'succeeded', output: {} }, 'other')).toEqual(['LateResultRecorded(a)']);
    expect(run.reply(first, { kind: 'succeeded', output: {} }, 'other')).toBe('nothing: late');
    expect(run.reply('0'.repeat(26), { kind: 'succeeded', output: {} })).toBe('rejected: attempt_not_found');
  });

  it('take a lapse as a lost handler, and its late result as evidence only (P-4)', () => {
    const run = new GivenRun(planWith([task('a')]));
    run.start();
    const lost = run.attempt('a');
    expect(run.when({ type: 'RecordLapse', data: { attemptId: lost, by: 'lease', message: 'gone' } })).toEqual(['StepFailed(a)']);
    expect(run.when({ type: 'RecordLapse', data: { attemptId: lost, by: 'lease', message: 'gone' } })).toBe('nothing: late');
    expect(run.reply(lost, { kind: 'succeeded', output: 1 })).toEqual(['LateResultRecorded(a)']);
    expect(run.decideRetry(lost, 'retry')).toEqual(['RetryDecided(a)', 'StepStarted(a)']);
    expect(run.state.status).toMatchObject({ state: 'retrying', sub: 'handler_lost' });
    expect(run.succeed('a', 2)).toEqual(['StepSucceeded(a)', 'RunCompleted']);
    expect(run.reply(lost, { kind: 'succeeded', output: 1 }, 'later')).toEqual(['LateResultRecorded(a)']);
    expect(run.history.at(-1)?.data).toMatchObject({ because: 'run_ended' });
  });

  it('reach their stage checkpoint with a digest of the state before it (C-CKPT, C-CLAIM)', () => {
    const run = new GivenRun(planWith([task('a', { checkpoint: 'half' }), task('b')]));
    run.start();
    expect(run.succeed('a', { x: 1 })).toEqual(['StepSucceeded(a)', 'CheckpointReached(a)', 'StepStarted(b)']);
    expect(run.history.find(({ type }) => type === 'CheckpointReached')?.data).toMatchObject({
      name: 'half',
      kind: 'stage',
      claim: { resultDigest: expect.stringMatching(/^sha256:/) as never },
    });
  });
});
