// What a branch takes along, what it is given, and what it refuses to leave behind (`architecture.md` §3.2).
import { signalType } from '@cairn/domain-definition';
import { idOf } from '@cairn/kernel';
import { describe, expect, it } from '@jest/globals';
import { serializeState } from '../snapshot.js';
import { GivenRun, planWith, RUN } from '../spec/given-run.js';
import { forkAt } from './fork.js';
import { planBranch } from './plan.js';
import type { BranchPlan, BranchRequest } from './request.js';

const planOf = (run: GivenRun, request: BranchRequest): BranchPlan => {
  const fork = forkAt(run.branches, request.from);
  if (!('point' in fork)) throw new Error(fork.problem.says);
  const parent = run.lineage().at(fork.point.branch, fork.point.revision);
  return planBranch({ plan: run.plan, fork: fork.point, parent, head: run.state }, request);
};
const open = (run: GivenRun, request: BranchRequest): string[] | string => {
  const fork = forkAt(run.branches, request.from);
  if (!('point' in fork)) throw new Error(fork.problem.says);
  return run.when({
    type: 'OpenBranch',
    data: { ...request, fork: { ...fork, state: run.lineage().at(fork.point.branch, fork.point.revision) } },
  });
};
const begin = (run: GivenRun): string[] | string => {
  run.openSuccessor();
  return run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
};
const override = (at: string, changes: BranchRequest['changes'], more: Partial<BranchRequest> = {}): BranchRequest => ({
  from: { branch: 'main', at },
  cause: 'override',
  reason: 'by hand',
  ...(changes === undefined ? {} : { changes }),
  ...more,
});
const letterOf = (id: string): string => idOf('receipt', 'default', 'out', id);

describe('what a branch takes along', () => {
  it('is an attempt as its handler has it now: nobody else is granted it (I-17)', () => {
    const run = new GivenRun(
      planWith([
        { id: 'pay', purpose: 'p', effect: { queue: 'p', key: 'k', guarantee: 'none' } },
        { id: 'other', after: [], task: { queue: 'q' }, fallback: [{ queue: 'r' }] },
      ]),
    );
    run.start();
    const at = String(run.state.revision);
    const attemptId = run.attempt('pay');
    const take = (nonce: string) => run.when({ type: 'TakeAttempt', data: { attemptId, handler: 'h/1', nonce } });
    expect(take('one')).toEqual(['AttemptTaken(pay)']);
    expect(open(run, override(at, [{ op: 'add', path: '/skip/other', value: true }]))).toEqual(['BranchSuperseded']);
    begin(run);
    expect(take('two')).toBe('rejected: attempt_taken');
    expect(serializeState(run.lineage().at('b2'))).toBe(serializeState(run.state));
  });

  it('is a choice that was made on the branch before and not used there yet', () => {
    const run = new GivenRun(
      planWith([
        { id: 'screen', task: { queue: 'q' } },
        { id: 'pay', purpose: 'p', effect: { queue: 'p', key: 'k', guarantee: 'idempotent' }, input: { of: '${steps.screen.output}' } },
      ]),
    );
    run.start();
    run.succeed('screen', 1);
    run.succeed('pay', { booking: 'B-1' });
    const correction: BranchRequest = { from: { branch: 'main', at: 'screen' }, cause: 'correction', reason: 'r', effects: { k: 'reuse' } };
    open(run, correction);
    begin(run);
    const again: BranchRequest = { from: { branch: 'b2', at: String(run.state.revision) }, cause: 'correction', reason: 'once more' };
    expect(planOf(run, again)).toMatchObject({ effects: [{ key: 'k', choice: 'reuse' }], unresolved: [] });
    expect(open(run, again)).toEqual(['BranchSuperseded']);
    begin(run);
    run.succeed('screen', 2);
    expect(run.state.ledger.effects.get('k')).toMatchObject({ suffix: 0, status: 'confirmed' });
    expect(run.state.end?.outcome).toBe('succeeded');
  });

  it('is an event that was carried to the branch before, and that nobody has waited for there yet', () => {
    const run = new GivenRun(
      planWith([
        { id: 'screen', task: { queue: 'q' } },
        { id: 'letter', after: ['screen'], wait: { any: [{ signal: 'go' }] } },
      ]),
    );
    run.start();
    run.succeed('screen');
    run.event('letter', signalType('go'), { key: RUN });
    open(run, { from: { branch: 'main', at: 'screen' }, cause: 'correction', reason: 'r' });
    begin(run);
    open(run, { from: { branch: 'b2', at: String(run.state.revision) }, cause: 'correction', reason: 'once more' });
    begin(run);
    expect(run.succeed('screen')).toContain('WaitSatisfied(letter)');
    expect(serializeState(run.lineage().at('b3'))).toBe(serializeState(run.state));
  });

  it('is such an event also for a branch from before it, whoever left the first one', () => {
    const run = new GivenRun(
      planWith([
        { id: 'screen', task: { queue: 'q' } },
        { id: 'letter', after: ['screen'], wait: { any: [{ signal: 'go' }] } },
      ]),
    );
    run.start();
    run.succeed('screen');
    run.event('letter', signalType('go'), { key: RUN });
    open(run, { from: { branch: 'main', at: 'screen' }, cause: 'correction', reason: 'r' });
    begin(run);
    const again: BranchRequest = { from: { branch: 'main', at: '0' }, cause: 'correction', reason: 'once more' };
    expect(planOf(run, again).received).toEqual([expect.objectContaining({ id: `event:${letterOf('e1')}`, choice: 'carry' })]);
    open(run, again);
    begin(run);
    expect(run.succeed('screen')).toContain('WaitSatisfied(letter)');
  });

  it('counts before whatever comes while the branch has not begun: two alike fill two triggers', () => {
    const run = new GivenRun(planWith([{ id: 'letter', after: [], wait: { all: [{ signal: 'go' }, { signal: 'go' }] } }]));
    run.start();
    const asked = String(run.state.revision);
    run.event('letter', signalType('go'), { key: RUN, id: 'e1' });
    open(run, { from: { branch: 'main', at: asked }, cause: 'correction', reason: 'r' });
    run.openSuccessor();
    expect(run.event('letter', signalType('go'), { key: RUN, id: 'e2' })).toEqual([
      'WaitTriggered(letter)',
      'WaitTriggered(letter)',
      'WaitSatisfied(letter)',
      'RunCompleted',
    ]);
  });

  it('is never half an append: a revision inside of one means its end', () => {
    const run = new GivenRun(planWith([{ id: 'pay', purpose: 'p', effect: { queue: 'p', key: 'k', guarantee: 'idempotent' } }]));
    run.start();
    const started = run.branches.get('main')!.findIndex(({ type }) => type === 'StepStarted');
    const intended = run.branches.get('main')!.findIndex(({ type }) => type === 'EffectIntended');
    expect(intended).toBeGreaterThan(started);
    expect(forkAt(run.branches, { branch: 'main', at: String(started) })).toEqual({ point: { branch: 'main', revision: intended } });
  });

  it('is not an event that woke two waits, until it is dropped', () => {
    const wait = { after: [], wait: { any: [{ signal: 'go' }] } };
    const run = new GivenRun(
      planWith([
        { id: 'a', ...wait },
        { id: 'b', ...wait },
        { id: 'c', after: ['a', 'b'], task: { queue: 'q' } },
      ]),
    );
    run.start();
    run.event('a', signalType('go'), { key: RUN });
    run.event('b', signalType('go'), { key: RUN });
    const event = `event:${letterOf('e1')}`;
    const back: BranchRequest = { from: { branch: 'main', at: '0' }, cause: 'correction', reason: 'r' };
    expect(planOf(run, back).problems).toEqual([expect.objectContaining({ pointer: `/received/${event}`, rule: 'not_yet' })]);
    expect(open(run, { ...back, received: { [event]: 'drop' } })).toEqual(['BranchSuperseded']);
  });
});

describe('what a branch is given', () => {
  const plan = planWith([
    { id: 'a', task: { queue: 'q' }, output: { type: 'object', required: ['n'] } },
    { id: 'turns', task: { queue: 'q' }, repeat: { until: 'output.done', max: 3 } },
  ]);
  it.each([
    ['the input, taken away', 'correction', { op: 'remove', path: '/input' }, 'op'],
    ['params, taken away', 'correction', { op: 'remove', path: '/steps/a/params' }, 'op'],
    ['a part of an output', 'override', { op: 'add', path: '/outputs/a/n', value: 1 }, 'path'],
    ['an output that the step could not have given', 'override', { op: 'add', path: '/outputs/a', value: {} }, 'required'],
    ['the output of a loop', 'override', { op: 'add', path: '/outputs/turns', value: 1 }, 'not_yet'],
    ['a loop, left out', 'override', { op: 'add', path: '/skip/turns', value: true }, 'not_yet'],
  ] as const)('is refused with its rule: %s', (_, cause, change, rule) => {
    const run = new GivenRun(plan);
    run.start({});
    const request: BranchRequest = { from: { branch: 'main', at: '0' }, cause, reason: 'r', changes: [change] };
    expect(planOf(run, request).problems).toEqual([expect.objectContaining({ pointer: '/changes/0', rule })]);
  });

  it('is not rerun where it is left out', () => {
    const run = new GivenRun(
      planWith([
        { id: 'a', task: { queue: 'q' } },
        { id: 'b', task: { queue: 'q' } },
      ]),
    );
    run.start();
    run.succeed('a');
    expect(planOf(run, override('0', [{ op: 'add', path: '/skip/a', value: true }])).reruns).toEqual(['b']);
  });

  it('says what is asked or waited for anew, also where it was open before the fork (U-4)', () => {
    const run = new GivenRun(
      planWith([
        { id: 'letter', after: [], wait: { any: [{ signal: 'go' }], deadline: '1d', onDeadline: { value: 0 } } },
        { id: 'ask', after: [], review: { queue: 'desk', question: 'Right?', deadline: '1d' } },
        { id: 'scan', after: [], task: { queue: 'q' } },
      ]),
    );
    run.start();
    run.succeed('scan', 1);
    const here = override(String(run.state.revision), []);
    const asked = { id: 'review:ask', says: 'open', default: 're_ask', choice: 're_ask' };
    expect(planOf(run, here)).toMatchObject({ reruns: ['ask'], received: [{ id: 'wait:letter', choice: 'carry' }, asked], problems: [] });
    const dropped = planOf(run, { ...here, received: { 'wait:letter': 'drop', 'review:ask': 're_ask' } });
    expect(dropped).toMatchObject({ reruns: ['letter', 'ask'], received: [{ id: 'wait:letter', choice: 'drop' }, asked], problems: [] });
  });

  it('says before it is opened that the run may have no more', () => {
    const run = new GivenRun(planWith([{ id: 'a', task: { queue: 'q' } }], { limits: { branches: 1 } }));
    run.start();
    expect(planOf(run, override('0', undefined)).problems).toContainEqual(expect.objectContaining({ rule: 'limits.branches' }));
  });
});

describe('what a reduced path drops', () => {
  const less = { reduced: [{ id: 'less', drops: ['b'], steps: [], summary: 'without b' }] };

  it('is owed nothing any more, also where the run was paused meanwhile', () => {
    const run = new GivenRun(
      planWith(
        [
          { id: 'a', task: { queue: 'q' } },
          { id: 'b', after: [], optional: true, task: { queue: 'q' } },
        ],
        less,
      ),
    );
    run.start();
    const failed = run.attempt('b');
    run.fail('b');
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    run.decideRetry(failed, 'retry');
    run.fail('a');
    run.decideBranch('a', 'reduce_scope', { reduce: 'less' });
    expect(begin(run)).toBe('nothing: early');
    const after = run.when({ type: 'UnpauseRun', data: { by: 'operator' } });
    expect(after).toContain('StepSkipped(b)');
    expect(after).not.toContain('StepStarted(b)');
  });

  it('is never an effect of which nobody knows yet whether it happens (I-17)', () => {
    const pay = { id: 'b', after: [], purpose: 'p', effect: { queue: 'p', key: 'k', guarantee: 'idempotent' } };
    const run = new GivenRun(planWith([{ id: 'a', task: { queue: 'q' } }, pay], less));
    run.start();
    run.fail('a');
    expect(run.decideBranch('a', 'reduce_scope', { reduce: 'less' })).toBe('rejected: decision_unsupported');
    run.succeed('b');
    expect(run.decideBranch('a', 'reduce_scope', { reduce: 'less' })).toEqual(['RetryDecided(a)', 'BranchSuperseded']);
  });
});
