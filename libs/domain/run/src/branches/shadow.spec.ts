// U-6: a shadow runs beside the head, takes what is known for what would act, and stops where nothing is.
import { signalType } from '@cairn/domain-definition';
import { describe, expect, it } from '@jest/globals';
import { GivenRun, planWith, RUN } from '../spec/given-run.js';
import { deserializeState, serializeState } from '../snapshot.js';
import { stateDigest } from '../state-digest.js';
import { forkAt } from './fork.js';
import type { BranchRequest } from './request.js';

const plan = planWith([
  { id: 'screen', task: { queue: 'q' } },
  { id: 'letter', wait: { any: [{ signal: 'go' }] } },
  { id: 'tell', emit: { type: 'spec.told' } },
  { id: 'pay', purpose: 'pay', effect: { queue: 'p', key: 'pay:${run.key}', guarantee: 'idempotent', stub: { booking: 'none' } } },
  { id: 'score', task: { queue: 'q' }, optional: true },
  { id: 'file', task: { queue: 'q' }, input: { booking: '${steps.pay.output.booking}', went: '${steps.letter.output.data}' } },
]);
const usage = { usd: 0.25, tokensIn: 1, tokensOut: 2 };

const whatIf: BranchRequest = { from: { branch: 'main', at: 'screen' }, cause: 'what_if', shadow: true, reason: 'what if' };

function open(run: GivenRun, request: BranchRequest): string[] | string {
  const fork = forkAt(run.branches, request.from);
  const state = 'point' in fork ? run.lineage().at(fork.point.branch, fork.point.revision) : undefined;
  return run.when({ type: 'OpenBranch', data: { ...request, fork: { ...fork, ...(state === undefined ? {} : { state }) } } });
}
const begin = (run: GivenRun, branch: string) => run.when({ type: 'WakeRun', data: { kind: 'branch', branch } });

/** Screened, and the letter came, unless it has not. */
function given(letter: boolean): GivenRun {
  const run = new GivenRun(plan);
  run.start();
  run.succeed('screen', { risk: 1 });
  if (letter) run.event('letter', signalType('go'), { key: RUN, data: { ok: true } });
  return run;
}

describe('a shadow', () => {
  it('takes what the head got, sends nothing, takes the stub of what was never confirmed, and comes to its end', () => {
    const run = given(true);
    const head = stateDigest(run.state);
    expect(open(run, whatIf)).toEqual(['ShadowOpened']);
    expect(run.state.path.attempts.size).toBe(1); // The payment goes on.
    const shadow = run.openShadow();
    run.inShadow(shadow, () => {
      expect(begin(run, shadow)).toEqual(['StepStarted(screen)']);
      expect(begin(run, shadow)).toBe('nothing: unchanged');
      expect(run.succeed('screen', { risk: 7 })).toEqual([
        'StepSucceeded(screen)',
        'StepStubbed(letter)',
        'StepStubbed(tell)',
        'StepStubbed(pay)',
        'StepStarted(score)',
      ]);
      expect(run.fail('score')).toEqual(['StepFailed(score)', 'StepSkipped(score)', 'StepStarted(file)']);
      expect(run.state.path.steps.get('file')?.work?.input).toEqual({ booking: 'none', went: { ok: true } });
      expect(run.succeed('file', 'done')).toEqual(['StepSucceeded(file)', 'ShadowEnded']);
      expect(run.state.status).toMatchObject({ state: 'complete', sub: 'succeeded' });
      expect(stateDigest(deserializeState(serializeState(run.state)))).toBe(stateDigest(run.state));
      expect(run.when({ type: 'AbandonBranch', data: { branch: shadow, reason: 'late' } })).toBe('nothing: late');
    });
    expect(stateDigest({ ...run.state, ledger: { ...run.state.ledger, branches: run.state.ledger.branches.delete(shadow) } })).toBe(head);
    expect(run.state.status.state).toBe('active');
  });

  it('stops where the head has no answer, and says which step lacks what', () => {
    const run = given(false);
    open(run, whatIf);
    const shadow = run.openShadow();
    run.inShadow(shadow, () => {
      begin(run, shadow);
      expect(run.succeed('screen', { risk: 7 })).toEqual(['StepSucceeded(screen)', 'ShadowEnded']);
      expect(run.state.end).toMatchObject({
        outcome: 'stopped',
        problem: { step: 'letter', message: 'wait letter has no answer on the head, and a shadow asks nobody' },
      });
    });
    expect(run.state.status.state).toBe('waiting');
  });

  it('is opened once for one request, also of a run that has ended, and ignores that the run is paused', () => {
    const run = given(true);
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(open(run, whatIf)).toEqual(['ShadowOpened']);
    const shadow = run.openShadow();
    run.inShadow(shadow, () => {
      expect(begin(run, shadow)).toEqual(['StepStarted(screen)']);
      expect(run.when({ type: 'AbandonBranch', data: { branch: shadow, reason: 'enough' } })).toEqual(['BranchAbandoned']);
      expect(run.when({ type: 'AbandonBranch', data: { branch: shadow, reason: 'enough' } })).toBe('nothing: duplicate');
    });
    run.when({ type: 'CancelRun', data: {} });
    expect(open(run, whatIf)).toEqual(['ShadowOpened']);
    expect(run.openShadow()).toBe('b3');
    expect(run.when({ type: 'AbandonBranch', data: { branch: 'main', reason: 'enough' } })).toBe('rejected: not_a_shadow');
    expect(run.when({ type: 'AbandonBranch', data: { branch: 'b9', reason: 'enough' } })).toBe('rejected: branch_not_found');
  });

  it('is promoted from ahead of its first stubbed effect; what it spent then counts in the run, once', () => {
    const run = new GivenRun(
      planWith([
        { id: 'screen', task: { queue: 'q' }, checkpoint: 'screened' },
        { id: 'pay', purpose: 'pay', effect: { queue: 'p', key: 'pay:${run.key}', guarantee: 'idempotent' } },
      ]),
    );
    run.start();
    run.succeed('screen', { risk: 1 });
    open(run, whatIf);
    const shadow = run.openShadow();
    run.succeed('pay', { booking: 'B' });
    open(run, whatIf);
    const taking = run.openShadow();
    for (const name of [shadow, taking])
      run.inShadow(name, () => {
        begin(run, name);
        const attemptId = run.attempt('screen');
        const result = { kind: 'succeeded', output: { risk: 7 } } as const;
        run.when({ type: 'RecordReply', data: { attemptId, replyId: `${attemptId}:end`, result, usage } });
        expect(run.state.end?.outcome).toBe(name === shadow ? 'stopped' : 'succeeded');
      });
    const spend = () => run.state.ledger.spend.get('');
    expect(spend()).toMatchObject({ attempts: 2, usd: 0 });
    const end = String(run.branches.get(taking)!.length - 1);
    const better: BranchRequest = {
      from: { branch: taking, at: end },
      cause: 'correction',
      reason: 'better',
      effects: { 'pay:k': 'reuse' },
    };
    expect(open(run, better)).toBe('rejected: branch_refused'); // It never paid.
    for (const branch of ['b4', 'b5']) {
      expect(open(run, { ...better, from: { branch: taking, at: 'promote' } })).toContain('BranchSuperseded');
      run.openSuccessor();
      expect(run.state.branch).toBe(branch);
      expect(run.state.path.steps.get('screen')?.output).toEqual({ value: { risk: 7 } });
      expect(spend()).toMatchObject({ attempts: branch === 'b4' ? 3 : 4, usd: 0.25 });
      expect(begin(run, branch)).toEqual(['StepStarted(pay)', 'StepSucceeded(pay)', 'RunCompleted']);
    }
    expect(open(run, { ...better, from: { branch: 'main', at: 'promote' } })).toBe('rejected: fork_not_found');
  });

  it('is not promoted while the head is about to do what it left open', () => {
    const run = given(true);
    open(run, whatIf);
    run.openShadow();
    const promote: BranchRequest = { from: { branch: 'b2', at: 'promote' }, cause: 'correction', reason: 'better' };
    expect(open(run, promote)).toBe('rejected: branch_refused');
    run.succeed('pay', { booking: 'B' });
    expect(open(run, { ...promote, effects: { 'pay:k': 'reuse' } })).toContain('BranchSuperseded');
  });
});
