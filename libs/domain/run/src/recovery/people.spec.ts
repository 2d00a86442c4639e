import { describe, expect, it } from '@jest/globals';
import type { Json } from '@cairn/kernel';
import { GivenRun, planWith } from '../spec/given-run.js';

const scan = (more: object = {}): object => ({
  id: 'scan',
  after: ['load'],
  task: { queue: 'scan-a' },
  input: { page: '${input.page}' },
  params: { depth: 2 },
  fallback: [{ queue: 'scan-b' }, { queue: 'scan-a', params: { depth: 1 } }],
  ...more,
});
const steps = (more: object = {}): object[] => [
  { id: 'load', task: { queue: 'load' } },
  scan(more),
  { id: 'answer', after: [], wait: { any: [{ event: { type: 'go', key: 'k' } }], noDeadline: { because: 'spec' } } },
  { id: 'store', after: ['scan'], task: { queue: 'store' } },
];
const reduced = [{ id: 'unscanned', drops: ['scan'], steps: [], summary: 'Without the scan' }];

const failed = (more: object = {}, of: object = { reduced }): GivenRun => {
  const run = new GivenRun(planWith(steps(more), of));
  run.start({ page: 7 });
  run.succeed('load');
  run.fail('scan');
  run.decideRetry(run.failure('scan'), 'escalate');
  return run;
};
const decide = (run: GivenRun, verdict: string, option: string, more: { readonly [field: string]: Json } = {}) =>
  run.verdict('scan', verdict, { option, ...more });
const begin = (run: GivenRun): string[] | string => {
  run.openSuccessor();
  return run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
};
const workOf = (run: GivenRun) => run.state.path.steps.get('scan')?.work;

describe('a failure that a policy hands to people', () => {
  it('asks in that very append, once, with what can be done and its consequence; the run is escalated (C-REVIEWTRIG, I-18)', () => {
    const run = new GivenRun(planWith(steps(), { reduced }));
    run.start({ page: 7 });
    run.succeed('load');
    run.fail('scan');
    expect(run.decideRetry(run.failure('scan'), 'escalate')).toEqual([
      'RetryDecided(scan)',
      'CheckpointReached(scan)',
      'ReviewRequested(scan)',
    ]);
    expect(run.state.status).toMatchObject({ state: 'escalated', sub: 'recovery' });
    const { options, ...asked } = run.history.at(-1)?.data as unknown as { options: { id: string; then: string; preview: string }[] };
    expect(asked).toMatchObject({
      why: 'recovery',
      editable: ['/input', '/params'],
      onDeadline: 'escalate',
      subjects: [{ step: 'scan', input: { page: 7 }, params: { depth: 2 } }],
    });
    expect(options.map(({ id, then }) => [id, then])).toEqual([
      ['retry_modified', 'branch'],
      ['fallback:0', 'fallback:0'],
      ['fallback:1', 'fallback:1'],
      ['reduce:unscanned', 'reduce:unscanned'],
      ['retry', 'again'],
      ['give_up', 'give_up'],
    ]);
    expect(options.map(({ preview }) => preview)).toEqual([
      'Opens a retry_modified branch (the next is b2): attempt 2 of scan goes out with your guidance, and its input and params as you edit them. Kept as done: load. answer goes on.',
      'Opens a fallback branch (the next is b2): attempt 2 of scan goes to queue scan-b. Kept as done: load. answer goes on.',
      'Opens a fallback branch (the next is b2): attempt 2 of scan goes to queue scan-a, with params of its own. Kept as done: load. answer goes on.',
      'Opens a reduced_scope branch (the next is b2): the run goes on without scan. Kept as done: load. answer goes on.',
      'attempt 2 of scan goes out on branch main with what attempt 1 had. Kept as done: load. answer goes on.',
      'The run ends as gave_up after 1 attempt of scan; what is open is withdrawn.',
    ]);
  });

  it('says after_retries where it has been tried again before', () => {
    const run = new GivenRun(planWith(steps()));
    run.start({ page: 7 });
    run.succeed('load');
    run.fail('scan');
    run.decideRetry(run.failure('scan'), 'retry');
    run.fail('scan');
    run.decideRetry(run.failure('scan'), 'escalate');
    expect(run.state.status).toMatchObject({ state: 'escalated', sub: 'after_retries' });
  });

  it('goes out again as it was, on its branch', () => {
    const run = failed();
    expect(decide(run, 'approve', 'retry')).toEqual(['VerdictApplied(scan)', 'StepStarted(scan)']);
    expect(run.state).toMatchObject({ branch: 'main', status: { state: 'retrying' } });
    expect([...run.state.path.retries.values()]).toMatchObject([{ decision: 'retry', settled: true }]);
    run.fail('scan');
    run.decideRetry(run.failure('scan'), 'escalate');
    expect(run.history.at(-1)?.data).toMatchObject({ n: 2, why: 'after_retries' });
  });

  it('goes out again as people changed it, on a branch, with their guidance', () => {
    const run = failed();
    const edits = [
      { op: 'replace', path: '/input/page', value: 8 },
      { op: 'add', path: '/params/slow', value: true },
    ];
    expect(decide(run, 'revise', 'retry_modified', { edits, guidance: 'page 7 is blank' })).toEqual([
      'VerdictApplied(scan)',
      'BranchSuperseded',
    ]);
    expect(run.state.superseded?.spec).toMatchObject({
      cause: 'retry_modified',
      reason: 'so',
      changes: [
        { op: 'replace', path: '/steps/scan/input/page', value: 8 },
        { op: 'add', path: '/steps/scan/params/slow', value: true },
        { op: 'add', path: '/steps/scan/guidance', value: 'page 7 is blank' },
      ],
    });
    expect(begin(run)).toEqual(['StepStarted(scan)']);
    expect(workOf(run)).toMatchObject({
      queue: 'scan-a',
      input: { page: 8 },
      params: { depth: 2, slow: true },
      guidance: 'page 7 is blank',
    });
    expect(run.state.path.steps.get('scan')?.attempts).toBe(2);
  });

  it('falls back to a declared alternative, and offers it no more', () => {
    const run = failed();
    expect(decide(run, 'approve', 'fallback:0')).toEqual(['VerdictApplied(scan)', 'BranchSuperseded']);
    expect(begin(run)).toEqual(['StepStarted(scan)']);
    expect(workOf(run)).toMatchObject({ queue: 'scan-b', params: { depth: 2 } });
    run.fail('scan');
    run.decideRetry(run.failure('scan'), 'escalate');
    const { options } = run.history.at(-1)?.data as unknown as { options: { id: string }[] };
    expect(options.map(({ id }) => id)).toEqual(['retry_modified', 'fallback:1', 'reduce:unscanned', 'retry', 'give_up']);
    decide(run, 'approve', 'fallback:1');
    begin(run);
    expect(workOf(run)).toMatchObject({ queue: 'scan-a', params: { depth: 1 } });
  });

  it('completes with less', () => {
    const run = failed();
    expect(decide(run, 'approve', 'reduce:unscanned')).toEqual(['VerdictApplied(scan)', 'BranchSuperseded']);
    expect(begin(run)).toEqual(['StepSkipped(scan)', 'StepStarted(store)']);
    run.succeed('store');
    run.event('answer', 'go', { key: 'k' });
    expect(run.state.end?.outcome).toBe('reduced');
  });

  it('is given up', () => {
    const run = failed();
    expect(decide(run, 'reject', 'give_up')).toEqual(['VerdictApplied(scan)', 'WaitWithdrawn(answer)', 'RunGaveUp(scan)']);
    expect(run.history.at(-1)?.data).toMatchObject({ rule: 'review', numbers: { attempts: 1 } });
  });

  it('does nothing else than what was chosen: an option that is gone is asked anew', () => {
    const run = failed();
    expect(decide(run, 'approve', 'fallback:7')).toEqual(['ReviewWithdrawn(scan)', 'CheckpointReached(scan)', 'ReviewRequested(scan)']);
    expect(run.state.status).toMatchObject({ state: 'escalated' });
    expect(run.history.at(-3)?.data).toMatchObject({
      because: 'subject_changed',
      says: expect.stringContaining('fallback:7 cannot be done'),
    });
  });

  it('takes no edit of what may not be edited, and no decision about another subject (B-33)', () => {
    const run = failed();
    expect(decide(run, 'revise', 'retry_modified', { edits: [{ op: 'replace', path: '/queue', value: 'scan-z' }] })).toBe(
      'rejected: edits_invalid',
    );
    expect(decide(run, 'approve', 'retry', { subjectDigest: '0'.repeat(64) })).toBe('rejected: digest_mismatch');
  });

  it('is decided while the run is paused, and starts when it goes on', () => {
    const run = failed();
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(decide(run, 'approve', 'retry')).toEqual(['VerdictApplied(scan)']);
    expect(run.state.status).toMatchObject({ state: 'blocked', sub: 'paused' });
    expect(run.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual(['RunUnpaused', 'StepStarted(scan)']);
  });

  it('offers no other way while nobody knows what the effect did; the same key may go again', () => {
    const effect = { effect: { queue: 'erp', key: 'k', guarantee: 'idempotent' }, purpose: 'pay' };
    const run = new GivenRun(planWith([{ id: 'scan', ...effect, fallback: [{ queue: 'erp-b' }] }]));
    run.start();
    run.reply(run.attempt('scan'), { kind: 'failed', failure: { by: 'handler', message: 'no' } });
    run.decideRetry(run.failure('scan'), 'escalate');
    expect(run.state.status).toMatchObject({ state: 'escalated', sub: 'recovery' });
    const { options } = run.history.at(-1)?.data as unknown as { options: { id: string }[] };
    expect(options.map(({ id }) => id)).toEqual(['retry', 'give_up']);
    expect(decide(run, 'approve', 'retry')).toEqual(['VerdictApplied(scan)', 'StepStarted(scan)', 'EffectIntended(scan)']);
  });

  it('is carried to the branch of another step', () => {
    const run = new GivenRun(
      planWith([...steps(), { id: 'rate', after: [], task: { queue: 'r' }, fallback: [{ queue: 'r2' }] }], { reduced }),
    );
    run.start({ page: 7 });
    run.succeed('load');
    run.fail('scan');
    run.decideRetry(run.failure('scan'), 'escalate');
    const reviewId = run.reviewId('scan');
    run.fail('rate');
    run.decideBranch('rate', 'fallback', { fallback: 0 });
    begin(run);
    expect(run.reviewId('scan')).toBe(reviewId);
    expect(run.state.status).toMatchObject({ state: 'escalated' });
    expect(decide(run, 'approve', 'fallback:0')).toEqual(['VerdictApplied(scan)', 'BranchSuperseded']);
    expect(begin(run)).toEqual(['StepStarted(scan)']);
  });
});
