import { describe, expect, it } from '@jest/globals';
import { GivenRun, planWith } from '../spec/given-run.js';
import { deserializeState, serializeState } from '../snapshot.js';
import { forkAt } from './fork.js';
import { planBranch } from './plan.js';
import type { BranchRequest } from './request.js';

// U-4, I-23: a verdict is carried only if that is asked for and what was approved is what would run; else people are asked again.

const plan = planWith([
  { id: 'read', task: { queue: 'q' } },
  { id: 'screen', task: { queue: 'q' }, params: { list: 'old' } },
  {
    id: 'approve',
    review: { queue: 'desk', question: 'Pay?', deadline: '1d', authorises: ['pay'], editable: ['/amount'], receiptTtl: '2d' },
  },
  {
    id: 'pay',
    purpose: 'pay',
    effect: { queue: 'p', key: 'pay:${run.key}', guarantee: 'idempotent' },
    input: { amount: '${steps.screen.output.amount}' },
    risk: 'high',
  },
  { id: 'file', task: { queue: 'q' } },
]);

/** Approved, and the payment is under way with a handler that has not answered; it fails for certain. */
function approved(verdict: 'approve' | 'reject' | 'edit' = 'approve'): GivenRun {
  const run = new GivenRun(plan);
  run.start();
  run.succeed('read');
  run.succeed('screen', { amount: 7 });
  const edits = verdict === 'edit' ? { edits: [{ op: 'replace', path: '/amount', value: 5 }] } : {};
  run.verdict('approve', verdict, edits as never);
  if (verdict !== 'reject') run.fail('pay');
  return run;
}

const asked = (more: Partial<BranchRequest> = {}): BranchRequest => ({
  from: { branch: 'main', at: 'screen' },
  cause: 'correction',
  reason: 'the list was old',
  changes: [{ op: 'replace', path: '/steps/screen/params/list', value: 'new' }],
  received: { 'verdict:approve': 'carry' },
  ...more,
});
function facts(run: GivenRun, request: BranchRequest) {
  const fork = forkAt(run.branches, request.from);
  if (!('point' in fork)) throw new Error(fork.problem.says);
  return { plan, fork: fork.point, parent: run.lineage().at(fork.point.branch, fork.point.revision), head: run.state };
}
const planOf = (run: GivenRun, request: BranchRequest) => planBranch(facts(run, request), request);
function open(run: GivenRun, request: BranchRequest): void {
  const { fork: point, parent: state } = facts(run, request);
  const opened = run.when({ type: 'OpenBranch', data: { ...request, fork: { point, state } } });
  if (typeof opened === 'string') throw new Error(opened);
  run.openSuccessor();
  run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
}

describe('a verdict that a branch takes along', () => {
  it('is asked again unless it is asked for, and says so in the plan', () => {
    const line = { id: 'verdict:approve', says: 'approved', default: 're_ask' };
    expect(planOf(approved(), asked({ received: {} })).received).toEqual([{ ...line, choice: 're_ask' }]);
    expect(planOf(approved(), asked())).toMatchObject({ received: [{ ...line, choice: 'carry' }], problems: [] });
  });

  it('may be dropped: then people are asked again, should the branch come to it', () => {
    const run = approved();
    open(run, asked({ received: { 'verdict:approve': 'drop' } }));
    expect(run.succeed('screen', { amount: 7 })).toContain('ReviewRequested(approve)');
  });

  it('lets exactly what was approved go, and nobody is asked', () => {
    const run = approved();
    open(run, asked());
    expect(deserializeState(serializeState(run.state)).path.verdicts).toEqual(run.state.path.verdicts);
    const went = run.succeed('screen', { amount: 7 });
    expect(went).toEqual(expect.arrayContaining(['VerdictCarried(approve)', 'StepStarted(pay)']));
    expect(went).not.toContain('ReviewRequested(approve)');
    expect(run.state.path.steps.get('approve')?.output).toEqual({ value: { by: ['user:ana'], reason: 'so', verdict: 'approve' } });
    expect(run.state.path.verdicts).toEqual([]);
  });

  it('lets an edited subject go as it was edited', () => {
    const run = approved('edit');
    open(run, asked());
    run.succeed('screen', { amount: 7 });
    expect(run.state.path.steps.get('pay')?.work?.input).toEqual({ amount: 5 });
  });

  it('is not used for anything else: people are asked anew', () => {
    const run = approved();
    open(run, asked());
    expect(run.succeed('screen', { amount: 8 })).toContain('ReviewRequested(approve)');
    expect(run.state.status.state).toBe('in_review');
  });

  it('may be asked for where the input of the run is changed: what would run decides', () => {
    const more = { changes: [{ op: 'add' as const, path: '/input', value: { other: 1 } }] };
    for (const [amount, next] of [
      [7, 'VerdictCarried(approve)'],
      [8, 'ReviewRequested(approve)'],
    ] as const) {
      const run = approved();
      open(run, asked(more));
      expect(run.succeed('screen', { amount })).toContain(next);
    }
  });

  it('is not used after its time', () => {
    const run = approved();
    open(run, asked());
    run.now += 2 * 86_400_000;
    expect(run.succeed('screen', { amount: 7 })).toContain('ReviewRequested(approve)');
  });

  it('is not used by whoever gave it for a branch of his own: four eyes', () => {
    const run = approved();
    run.actor = 'user:ana';
    open(run, asked());
    expect(run.succeed('screen', { amount: 7 })).toContain('ReviewRequested(approve)');
  });

  it('settles a review at which the branch begins', () => {
    const run = approved();
    open(run, asked({ from: { branch: 'main', at: 'approve' }, changes: [], cause: 'correction' }));
    expect(run.state.path.steps.get('approve')?.status).toBe('succeeded');
    expect(run.attempt('pay')).toBeDefined();
  });

  it.each<[string, Partial<BranchRequest>, 'approve' | 'reject', string]>([
    [
      'what was approved is changed',
      { changes: [{ op: 'add', path: '/steps/pay/params', value: { fast: true } }] },
      'approve',
      'subject_changed',
    ],
    ['it was rejected', {}, 'reject', 'unknown_choice'],
  ])('is refused where %s', (_, more, verdict, rule) => {
    const { problems } = planOf(approved(verdict), asked(more));
    expect(problems).toEqual([expect.objectContaining({ pointer: '/received/verdict:approve', rule })]);
  });
});
