import { describe, expect, it } from '@jest/globals';
import { GivenRun, planWith } from '../spec/given-run.js';
import { deserializeState, serializeState } from '../snapshot.js';
import { forkAt } from './fork.js';
import type { BranchRequest } from './request.js';

// `capabilities.md` §6: a branch that is told a lesson knows what could not go on before it, and what is different now.

const plan = planWith([
  { id: 'read', task: { queue: 'q' } },
  { id: 'guess', task: { queue: 'q' }, fallback: [{ queue: 'other' }], params: { n: 1 } },
]);

function failed(): GivenRun {
  const run = new GivenRun(plan);
  run.start();
  run.succeed('read', 'text');
  run.fail('guess');
  return run;
}

const begin = (run: GivenRun): string[] | string => {
  run.openSuccessor();
  return run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
};

function open(run: GivenRun, request: Partial<BranchRequest>): void {
  const asked: BranchRequest = { from: { branch: 'main', at: 'guess' }, cause: 'correction', reason: 'try this', ...request };
  const fork = forkAt(run.branches, asked.from);
  if (!('point' in fork)) throw new Error(fork.problem.says);
  const state = run.lineage().at(fork.point.branch, fork.point.revision);
  const opened = run.when({ type: 'OpenBranch', data: { ...asked, fork: { ...fork, state } } });
  if (typeof opened === 'string') throw new Error(opened);
  begin(run);
}

describe('the lesson of a branch', () => {
  it('of a policy says what failed, how often and as what, and the change', () => {
    const run = failed();
    run.decideBranch('guess', 'fallback', { fallback: 0 });
    begin(run);
    expect(run.state.lesson).toEqual({
      branch: 'b2',
      cause: 'fallback',
      reason: expect.stringContaining('guess failed at attempt 1'),
      from: `main@${run.branches.get('main')!.length - 2}`,
      left: `main@${run.branches.get('main')!.length - 1}`,
      failures: [{ step: 'guess', attempts: 1, bucket: 'handler_lost', message: 'no' }],
      changes: [{ op: 'replace', path: '/steps/guess/queue', value: 'other' }],
    });
  });

  it('of a branch behind it comes first, with the one before', () => {
    const run = failed();
    run.decideBranch('guess', 'fallback', { fallback: 0 });
    begin(run);
    run.fail('guess');
    open(run, { from: { branch: 'b2', at: '1' }, changes: [{ op: 'replace', path: '/steps/guess/params', value: 'x'.repeat(501) }] });
    expect(run.state.lesson).toMatchObject({
      branch: 'b3',
      failures: [{ step: 'guess', attempts: 2, bucket: null }],
      changes: [{ op: 'replace', path: '/steps/guess/params' }],
      before: [{ branch: 'b2', cause: 'fallback' }],
    });
    expect(run.state.lesson?.changes[0]).not.toHaveProperty('value');
    expect(deserializeState(serializeState(run.state)).lesson).toEqual(run.state.lesson);
  });

  it('grown from before the first branch tells of the head that was left, and not of what that was told', () => {
    const run = failed();
    run.decideBranch('guess', 'fallback', { fallback: 0 });
    begin(run);
    run.fail('guess');
    open(run, {});
    expect(run.state.lesson).toMatchObject({
      branch: 'b3',
      left: expect.stringMatching(/^b2@/),
      failures: [{ step: 'guess', attempts: 2 }],
    });
    expect(run.state.lesson?.before).toBeUndefined();
  });

  it('of an ended run says how it had ended; what was mended on the way is no failure', () => {
    const run = failed();
    run.decideRetry(run.failure('guess'), 'retry');
    run.succeed('guess', 1);
    expect(run.state.end?.outcome).toBe('succeeded');
    open(run, { from: { branch: 'main', at: String(run.state.revision) } });
    expect(run.state.lesson).toMatchObject({ outcome: 'succeeded', failures: [] });
  });

  it('is none where it is not told, and none of the branches before it is', () => {
    const run = failed();
    run.decideBranch('guess', 'fallback', { fallback: 0 });
    begin(run);
    open(run, { lesson: 'untold' });
    expect(run.state.lesson).toBeNull();
  });
});
