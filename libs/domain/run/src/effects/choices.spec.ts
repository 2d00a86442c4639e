import { describe, expect, it } from '@jest/globals';
import type { BranchRequest } from '../branches/request.js';
import { forkAt } from '../branches/fork.js';
import { GivenRun, planWith } from '../spec/given-run.js';

// What a branch makes of a confirmed effect that it comes to again (U-5): undone first, or what people say when it is reached.

const KEY = 'invoice:I-1';
const pay = (more: object = {}) => ({
  id: 'pay',
  purpose: 'pay the invoice',
  effect: { queue: 'bank', key: KEY, guarantee: 'none', compensate: 'bank-undo', ...more },
});
const plan = planWith([{ id: 'screen', task: { queue: 'q' } }, pay(), { id: 'tell', task: { queue: 'mail' } }]);

/** It has screened, paid and told; a person goes back to before the screening. */
function branched(choice: string, of = plan): GivenRun {
  const run = new GivenRun(of);
  run.start();
  run.succeed('screen');
  run.succeed('pay', { booking: 1 });
  run.succeed('tell');
  const request: BranchRequest = {
    from: { branch: 'main', at: 'screen' },
    cause: 'correction',
    reason: 'the list was old',
    effects: { [KEY]: choice as 'ask' },
  };
  const fork = forkAt(run.branches, request.from);
  if (!('point' in fork)) throw new Error(fork.problem.says);
  const state = run.lineage().at(fork.point.branch, fork.point.revision);
  expect(run.when({ type: 'OpenBranch', data: { ...request, fork: { ...fork, state } } })).toEqual(['BranchSuperseded']);
  run.openSuccessor();
  return run;
}
const begin = (run: GivenRun): string[] | string => run.when({ type: 'WakeRun', data: { kind: 'branch', branch: 'b2' } });
const suffix = (run: GivenRun) => run.state.ledger.effects.get(KEY)?.suffix;

describe('compensate', () => {
  it('undoes it as soon as the branch begins; the step waits for that, and takes the next suffix', () => {
    const run = branched('compensate');
    expect(begin(run)).toEqual(['StepStarted(pay/compensate)', 'StepStarted(screen)']);
    expect(run.succeed('screen')).toEqual(['StepSucceeded(screen)']);
    expect(run.succeed('pay/compensate')).toEqual([
      'StepSucceeded(pay/compensate)',
      'EffectCompensated(pay)',
      'CheckpointReached(pay)',
      'StepStarted(pay)',
      'EffectIntended(pay)',
    ]);
    expect(suffix(run)).toBe(1);
    run.succeed('pay', { booking: 2 });
    expect(run.succeed('tell')).toContain('RunCompleted');
  });

  it('that fails for good blocks, until a person has it tried again', () => {
    const run = branched('compensate');
    begin(run);
    run.succeed('screen');
    const attemptId = run.attempt('pay/compensate');
    run.fail('pay/compensate');
    run.decideRetry(attemptId, 'block');
    expect(run.state.status).toMatchObject({ state: 'blocked', sub: 'awaiting_decision' });
    expect(run.when({ type: 'CompensateEffect', data: { key: KEY, reason: 'again' } })).toEqual(['StepStarted(pay/compensate)']);
    expect(run.succeed('pay/compensate')).toContain('EffectIntended(pay)');
  });
});

describe('ask', () => {
  const asked = (): GivenRun => {
    const run = branched('ask');
    begin(run);
    expect(run.succeed('screen')).toEqual(['StepSucceeded(screen)', 'CheckpointReached(pay/ask)', 'ReviewRequested(pay/ask)']);
    return run;
  };

  it('asks people when the step is reached, with what each answer would do', () => {
    const run = asked();
    expect(run.state.status).toMatchObject({ state: 'in_review', sub: 'recovery' });
    expect(run.history.at(-1)?.data).toMatchObject({
      question: `Effect ${KEY} of step pay has happened already. What becomes of it on branch b2?`,
      options: [{ id: 'reuse' }, { id: 'compensate' }, { id: 'repeat' }],
    });
    expect(begin(run)).toBe('nothing: unchanged');
  });

  it('takes the result where they say reuse', () => {
    const run = asked();
    expect(run.verdict('pay/ask', 'approve', { option: 'reuse' })).toEqual([
      'VerdictApplied(pay/ask)',
      'StepStarted(pay)',
      'StepSucceeded(pay)',
      'StepStarted(tell)',
    ]);
    expect(suffix(run)).toBe(0);
  });

  it('acts again under the next suffix where they say repeat', () => {
    const run = asked();
    expect(run.verdict('pay/ask', 'approve', { option: 'repeat' })).toContain('EffectIntended(pay)');
    expect(suffix(run)).toBe(1);
  });

  it('undoes it first where they say compensate', () => {
    const run = asked();
    expect(run.verdict('pay/ask', 'approve', { option: 'compensate' })).toEqual(['VerdictApplied(pay/ask)', 'StepStarted(pay/compensate)']);
    expect(run.succeed('pay/compensate')).toContain('EffectIntended(pay)');
    expect(suffix(run)).toBe(1);
  });

  it('takes no answer that was not offered, and none about something else', () => {
    const run = asked();
    expect(run.verdict('pay/ask', 'approve', { option: 'ignore' })).toBe('rejected: decision_unproven');
    expect(run.verdict('pay/ask', 'reject', { option: 'reuse' })).toBe('rejected: decision_unproven');
    expect(run.verdict('pay/ask', 'approve', { option: 'reuse', subjectDigest: '0' })).toBe('rejected: digest_mismatch');
  });

  it('lets the step go on when the run does, where they answer while it is paused', () => {
    const run = asked();
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(run.verdict('pay/ask', 'approve', { option: 'reuse' })).toEqual(['VerdictApplied(pay/ask)']);
    expect(run.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual([
      'RunUnpaused',
      'StepStarted(pay)',
      'StepSucceeded(pay)',
      'StepStarted(tell)',
    ]);
  });

  it('offers to undo it only where somebody could', () => {
    const run = branched(
      'ask',
      planWith([{ id: 'screen', task: { queue: 'q' } }, pay({ compensate: undefined }), { id: 'tell', task: { queue: 'm' } }]),
    );
    begin(run);
    run.succeed('screen');
    expect(run.history.at(-1)?.data).toMatchObject({ options: [{ id: 'reuse' }, { id: 'repeat' }] });
  });
});
