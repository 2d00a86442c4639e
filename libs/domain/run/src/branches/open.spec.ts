import { signalType } from '@cairn/domain-definition';
import { idOf, instantOf } from '@cairn/kernel';
import { describe, expect, it } from '@jest/globals';
import type { OpenBranch } from '../commands.js';
import { GivenRun, planWith, RUN } from '../spec/given-run.js';
import { serializeState } from '../snapshot.js';
import { forkAt } from './fork.js';
import { planBranch } from './plan.js';
import type { BranchRequest } from './request.js';

const plan = planWith([
  { id: 'extract', task: { queue: 'q' }, fallback: [{ queue: 'other' }] },
  { id: 'screen', task: { queue: 'q' }, params: { list: '2026-11-01' }, input: { of: '${steps.extract.output}' } },
  { id: 'letter', after: ['screen'], wait: { any: [{ signal: 'go' }] } },
  {
    id: 'pay',
    purpose: 'pay',
    effect: { queue: 'p', key: 'pay:${run.key}', guarantee: 'idempotent' },
    input: { risk: '${steps.screen.output.risk}' },
  },
  { id: 'file', task: { queue: 'q' }, input: { booking: '${steps.pay.output.booking}' } },
]);

/** The run is complete: extracted, screened, the letter came, paid, filed. */
function complete(): GivenRun {
  const run = new GivenRun(plan);
  run.start({ n: 1 });
  run.succeed('extract', 'text');
  run.succeed('screen', { risk: 1 });
  run.event('letter', signalType('go'), { key: RUN, data: { ok: true } });
  run.succeed('pay', { booking: 'B-7' });
  run.succeed('file', 'done');
  expect(run.state.end?.outcome).toBe('succeeded');
  return run;
}

const letterId = idOf('receipt', 'default', 'out', 'e1');
const correction: BranchRequest = {
  from: { branch: 'main', at: 'screen' },
  cause: 'correction',
  reason: 'screened against an old list',
  changes: [{ op: 'replace', path: '/steps/screen/params/list', value: '2026-11-22' }],
  effects: { 'pay:k': 'reuse' },
};

const open = (run: GivenRun, request: BranchRequest, cause?: string): string[] | string => {
  const fork = forkAt(run.branches, request.from);
  const state = 'point' in fork ? run.lineage().at(fork.point.branch, fork.point.revision) : undefined;
  const command: OpenBranch = { type: 'OpenBranch', data: { ...request, fork: { ...fork, ...(state === undefined ? {} : { state }) } } };
  return run.when(command, cause);
};
const planOf = (run: GivenRun, request: BranchRequest) => {
  const fork = forkAt(run.branches, request.from);
  if (!('point' in fork)) throw new Error(fork.problem.says);
  return planBranch({ plan, fork: fork.point, parent: run.lineage().at(fork.point.branch, fork.point.revision), head: run.state }, request);
};
const begin = (run: GivenRun): string[] | string => {
  run.openSuccessor();
  return run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
};

describe('a plan for a branch', () => {
  it('lists what is kept and run again, each event with carry or drop, each effect with its choices (U-4, U-5)', () => {
    const run = complete();
    expect(planOf(run, { ...correction, effects: {} })).toEqual({
      fork: 'main@2',
      checkpoint: null,
      head: `main@${run.state.revision}`,
      keeps: ['extract'],
      reruns: ['screen', 'letter', 'pay', 'file'],
      received: [{ id: `event:${letterId}`, says: `${signalType('go')} for letter`, default: 'carry', choice: 'carry' }],
      effects: [{ key: 'pay:k', step: 'pay', status: 'confirmed', choices: ['reuse', 'repeat', 'ask'], choice: null }],
      problems: [],
      unresolved: ['effects/pay:k'],
    });
  });

  it.each([
    ['expectHead', { expectHead: 'main@3' }, '/expectHead', 'head_moved'],
    ['no reason', { reason: ' ' }, '/reason', 'required'],
    ['a what-if that would act', { cause: 'what_if', changes: [] }, '/shadow', 'required'],
    ['a shadow of an acting cause', { shadow: true }, '/cause', 'shadow'],
    [
      'a slice that the cause may not change',
      { cause: 'retry_modified', changes: [{ op: 'replace', path: '/outputs/screen', value: 1 }] },
      '/changes/0',
      'cause',
    ],
    ['a step that is not there', { changes: [{ op: 'replace', path: '/steps/none/params', value: 1 }] }, '/changes/0', 'unknown-ref'],
    ['a step that is done at the fork', { changes: [{ op: 'replace', path: '/steps/extract/params', value: 1 }] }, '/changes/0', 'settled'],
    ['a path that is none', { changes: [{ op: 'replace', path: '/stuff', value: 1 }] }, '/changes/0', 'path'],
    ['what is not changed yet', { changes: [{ op: 'replace', path: '/budget/usd', value: 1 }] }, '/changes/0', 'not_yet'],
    ['a queue that is no name', { changes: [{ op: 'replace', path: '/steps/screen/queue', value: 'A B' }] }, '/changes/0', 'type'],
    ['an event that did not come', { received: { 'event:none': 'drop' } }, '/received/event:none', 'unknown_choice'],
    ['an effect that is not there', { effects: { 'pay:k': 'reuse', none: 'reuse' } }, '/effects/none', 'unknown_choice'],
    ['a compensation that nobody could do', { effects: { 'pay:k': 'compensate' } }, '/effects/pay:k', 'undeclared'],
  ] as const)('names field and rule of %s, and nothing is opened', (_, more, pointer, rule) => {
    const run = complete();
    const request = { ...correction, ...more } as BranchRequest;
    expect(planOf(run, request).problems).toEqual([expect.objectContaining({ pointer, rule })]);
    const before = run.history.length;
    expect(open(run, request)).toBe(rule === 'head_moved' ? 'rejected: head_moved' : 'rejected: branch_refused');
    expect(run.history.length).toBe(before);
  });

  it('blocks while an effect is in doubt: a branch that forgot it could pay twice', () => {
    const run = new GivenRun(plan);
    run.start({});
    run.succeed('extract');
    run.succeed('screen', { risk: 1 });
    run.event('letter', signalType('go'), { key: RUN });
    expect(planOf(run, { ...correction, effects: {} }).problems).toEqual([
      expect.objectContaining({ pointer: '/effects/pay:k', rule: 'effect_in_doubt' }),
    ]);
    run.reply(run.attempt('pay'), { kind: 'failed', failure: { by: 'handler', message: 'gone', sideEffect: 'unknown' } });
    expect(open(run, { ...correction, effects: {} })).toBe('rejected: branch_refused');
  });
});

describe('a point of a run', () => {
  it.each([
    ['3', { branch: 'main', revision: 3 }],
    ['screen', { branch: 'main', revision: 2 }],
    ['pay.after', 'CheckpointReached'],
    ['letter.wait', 'CheckpointReached'],
  ] as const)('is named by %s', (at, wanted) => {
    const run = complete();
    const fork = forkAt(run.branches, { branch: 'main', at });
    if (!('point' in fork)) throw new Error(fork.problem.says);
    if (typeof wanted === 'string') expect(run.branches.get('main')?.[fork.point.revision]?.type).toBe(wanted);
    else expect(fork.point).toEqual(wanted);
  });

  it.each([
    [{ branch: 'b7', at: '0' }, '/from/branch', 'branch_not_found'],
    [{ branch: 'main', at: '999' }, '/from/at', 'revision_not_found'],
    [{ branch: 'main', at: 'nowhere' }, '/from/at', 'checkpoint_not_found'],
    [{ branch: 'main', at: 'failure' }, '/from/at', 'failure_not_found'],
  ] as const)('that is not there is told with its field: %j', (from, pointer, rule) => {
    const run = complete();
    expect(forkAt(run.branches, from)).toMatchObject({ problem: { pointer, rule } });
    expect(open(run, { ...correction, from })).toBe('rejected: fork_not_found');
  });
});

describe('a branch that a person opens (C-CAUSE, C-RESTART)', () => {
  it('recovers an ended run: nothing before the fork runs again, the event is used again, the payment is not made again', () => {
    const run = complete();
    expect(open(run, correction)).toEqual(['BranchSuperseded']);
    expect(begin(run)).toEqual(['StepStarted(screen)']);
    expect(run.history.at(-1)?.data).toMatchObject({ attempt: 1, params: { list: '2026-11-22' }, input: { of: 'text' } });
    expect(run.state.ledger.spend.get('screen')?.attempts).toBe(2);
    expect(run.succeed('screen', { risk: 2 })).toEqual([
      'StepSucceeded(screen)',
      'CheckpointReached(letter)',
      'WaitOpened(letter)',
      'WaitTriggered(letter)',
      'WaitSatisfied(letter)',
      'StepStarted(pay)',
      'StepSucceeded(pay)',
      'StepStarted(file)',
    ]);
    expect(run.history.at(-1)?.data).toMatchObject({ input: { booking: 'B-7' } });
    expect(run.succeed('file')).toEqual(['StepSucceeded(file)', 'RunCompleted']);
    expect(run.state.ledger.branches.toObject()).toEqual({
      main: { head: false, epoch: 1, ended: true },
      b2: { head: true, epoch: 2, ended: true },
    });
    expect(serializeState(run.lineage().at('b2'))).toBe(serializeState(run.state));
  });

  it('pays again under the next suffix where that is chosen, and only then (I-16)', () => {
    const run = complete();
    const again: BranchRequest = { ...correction, effects: { 'pay:k': 'repeat' } };
    expect(planOf(run, again).problems).toEqual([expect.objectContaining({ pointer: '/effectReasons/pay:k', rule: 'required' })]);
    const effectReasons = { 'pay:k': 'the first one went to a closed account' };
    expect(planOf(run, { ...correction, effectReasons }).problems).toEqual([expect.objectContaining({ rule: 'not_allowed' })]);
    open(run, { ...again, effectReasons });
    begin(run);
    expect(run.state.opened).toMatchObject({ effectsReasons: effectReasons });
    run.succeed('screen', { risk: 2 });
    expect(run.state.ledger.effects.get('pay:k')).toMatchObject({ suffix: 1, status: 'intended' });
    run.succeed('pay', { booking: 'B-8' });
    expect(run.state.ledger.effects.get('pay:k')).toMatchObject({ suffix: 1, status: 'confirmed' });
  });

  it('asks again for what was dropped', () => {
    const run = complete();
    open(run, { ...correction, received: { [`event:${letterId}`]: 'drop' } });
    begin(run);
    expect(run.succeed('screen', { risk: 2 })).toEqual(['StepSucceeded(screen)', 'CheckpointReached(letter)', 'WaitOpened(letter)']);
    expect(run.event('letter', signalType('go'), { key: RUN })).toBe('nothing: duplicate'); // Used once, over branches.
    expect(run.event('letter', signalType('go'), { key: RUN, id: 'e2' })).toContain('WaitSatisfied(letter)');
  });

  it('is opened once for one request, and by one of two who race (B-48)', () => {
    const run = complete();
    const other = complete();
    expect(open(run, { ...correction, expectHead: `main@${run.state.revision}` }, 'one')).toEqual(['BranchSuperseded']);
    run.openSuccessor();
    expect(open(run, correction, 'one')).toBe('nothing: duplicate');
    expect(open(run, { ...correction, expectHead: `main@${other.state.revision}` }, 'two')).toBe('rejected: head_moved');
  });

  it('takes over an output by override, and leaves a step out', () => {
    const run = new GivenRun(plan);
    run.start({});
    run.succeed('extract');
    run.fail('screen');
    const attempt = [...run.state.path.retries.keys()][0] as string;
    run.decideRetry(attempt, 'block');
    expect(run.state.status.state).toBe('blocked');
    const override: BranchRequest = {
      from: { branch: 'main', at: 'screen' },
      cause: 'override',
      reason: 'looked at by hand',
      changes: [
        { op: 'add', path: '/outputs/screen', value: { risk: 0 } },
        { op: 'add', path: '/skip/letter', value: true },
      ],
    };
    expect(open(run, override)).toEqual(['BranchSuperseded']);
    expect(begin(run)).toEqual(['StepSkipped(letter)', 'CheckpointReached(pay)', 'StepStarted(pay)', 'EffectIntended(pay)']);
    expect(run.history.at(-2)?.data).toMatchObject({ input: { risk: 0 } });
  });

  it('starts anew what was open or owed at the fork, with what is changed; what is beside it goes on', () => {
    const beside = planWith([
      { id: 'a', task: { queue: 'q' }, params: { n: 1 } },
      { id: 'b', after: [], task: { queue: 'q' } },
      { id: 'w', after: [], wait: { any: [{ signal: 'go' }], deadline: '1h', onDeadline: { value: null } } },
    ]);
    const run = new GivenRun(beside);
    run.start();
    const other = run.attempt('b');
    run.fail('a');
    const fork = forkAt(run.branches, { branch: 'main', at: String(run.state.revision) });
    if (!('point' in fork)) throw new Error(fork.problem.says);
    const request: BranchRequest = {
      from: { branch: 'main', at: '0' },
      cause: 'retry_modified',
      reason: 'more',
      changes: [{ op: 'replace', path: '/steps/a/params/n', value: 2 }],
    };
    const state = run.state;
    run.when({ type: 'OpenBranch', data: { ...request, fork: { ...fork, state } } });
    expect(begin(run)).toEqual(['StepStarted(a)']);
    expect(run.history.at(-1)?.data).toMatchObject({ attempt: 2, params: { n: 2 } });
    expect(run.state.path.attempts.has(other)).toBe(true);
    expect([...run.state.path.waits.values()].map(({ open: isOpen }) => isOpen)).toEqual([true]);
    run.now += 3_600_000;
    expect(run.when({ type: 'ExpireWait', data: { waitId: run.waitId('w') } })).toContain('WaitExpired(w)');
    expect(instantOf(run.now) > '2026').toBe(true);
  });

  it('goes on with a loop at its next turn', () => {
    const loop = planWith([
      { id: 'poll', task: { queue: 'q' }, repeat: { until: 'output.done', max: 5 } },
      { id: 'next', task: { queue: 'q' } },
    ]);
    const run = new GivenRun(loop);
    run.start();
    run.succeed('poll#1', { done: false });
    run.succeed('poll#2', { done: true });
    const revision = run.branches.get('main')!.findIndex((event) => event.type === 'StepSucceeded');
    const fork = { point: { branch: 'main', revision }, state: run.lineage().at('main', revision) };
    run.when({ type: 'OpenBranch', data: { from: { branch: 'main', at: '2' }, cause: 'correction', reason: 'again', fork } });
    expect(begin(run)).toEqual(['StepStarted(poll#2)']);
  });
});
