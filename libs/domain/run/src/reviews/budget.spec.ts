import { describe, expect, it } from '@jest/globals';
import type { Json } from '@cairn/kernel';
import { GivenRun, planWith } from '../spec/given-run.js';

// `limits` reached: review, why `budget` (`capabilities.md` §3.1). A run never ends over a number in silence (P-6).

interface Asked {
  readonly why: string;
  readonly question: string;
  readonly options: readonly { readonly id: string; readonly then: string; readonly preview: string }[];
  readonly evidence: readonly Json[];
}
const asked = (run: GivenRun): Asked => run.history.findLast(({ type }) => type === 'ReviewRequested')?.data as unknown as Asked;
const began = (run: GivenRun): string[] | string => {
  run.openSuccessor();
  return run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
};

describe('a branch that a policy wants, where the run has as many as it may', () => {
  const scan = { id: 'scan', task: { queue: 'a' }, input: { page: 1 }, fallback: [{ queue: 'b' }] };
  const reduced = [{ id: 'unscanned', drops: ['scan'], steps: [], summary: 'Without the scan' }];
  const reached = (more: object = {}): GivenRun => {
    const run = new GivenRun(
      planWith(
        [
          { ...scan, ...more },
          { id: 'store', task: { queue: 'q' } },
        ],
        { limits: { branches: 1 }, reduced },
      ),
    );
    run.start();
    run.fail('scan');
    run.decideBranch('scan', 'fallback', { fallback: 0 });
    return run;
  };

  it('asks people in that append, and says which limit, what the policy wanted and what each answer does', () => {
    const run = reached();
    expect(run.history.slice(-3).map(({ type }) => type)).toEqual(['RetryDecided', 'CheckpointReached', 'ReviewRequested']);
    expect(run.state.status).toMatchObject({ state: 'escalated', sub: 'budget' });
    const { why, question, options, evidence } = asked(run);
    expect([why, question]).toEqual(['budget', expect.stringContaining('limits.branches: the run has 1 branches and may have 1')]);
    expect(options.map(({ id }) => id)).toEqual(['retry_modified', 'fallback:0', 'reduce:unscanned', 'retry', 'give_up']);
    expect(options[1]?.preview).toContain('the next is b2, one more than limits.branches allows');
    expect(evidence).toContainEqual({ limit: 'branches', is: 1, max: 1, wanted: { decision: 'fallback', change: { fallback: 0 } } });
  });

  it.each([
    ['fallback:0', 'fallback', 'b'],
    ['reduce:unscanned', 'reduced_scope', undefined],
  ] as const)('goes one beyond the limit by %s, and only one', (option, cause, queue) => {
    const run = reached();
    expect(run.verdict('scan', 'approve', { option })).toEqual(['VerdictApplied(scan)', 'BranchSuperseded']);
    began(run);
    expect(run.state.opened).toMatchObject({ cause });
    expect(run.state.path.steps.get('scan')?.work?.queue).toBe(queue);
    expect(run.state.status.state).not.toBe('escalated');
  });

  it('asks again for the next one', () => {
    const run = reached({ fallback: [{ queue: 'b' }, { queue: 'c' }] });
    run.verdict('scan', 'approve', { option: 'fallback:0' });
    began(run);
    run.fail('scan');
    run.decideBranch('scan', 'fallback', { fallback: 1 });
    expect(run.state.status).toMatchObject({ state: 'escalated', sub: 'budget' });
    expect(asked(run).question).toContain('the run has 2 branches and may have 1');
  });

  it('goes on without a branch, or ends, where people say so', () => {
    const again = reached();
    expect(again.verdict('scan', 'approve', { option: 'retry' })).toEqual(['VerdictApplied(scan)', 'StepStarted(scan)']);
    const over = reached();
    expect(over.verdict('scan', 'reject', { option: 'give_up' })).toEqual(['VerdictApplied(scan)', 'RunGaveUp(scan)']);
    const passed = reached({ optional: true });
    expect(passed.verdict('scan', 'reject', { option: 'give_up' })).toEqual([
      'VerdictApplied(scan)',
      'StepSkipped(scan)',
      'StepStarted(store)',
    ]);
  });

  it('starts nothing of what the policy wanted before people have decided, also not after a pause', () => {
    const run = reached();
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(run.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual(['RunUnpaused']);
    expect(run.decideRetry(run.state.path.retries.keys().next().value as string, 'retry')).toBe('nothing: duplicate');
  });
});

describe('a loop that has started as many attempts as the run may', () => {
  const loop = (more: object = {}, id = 'poll') => ({
    id,
    after: [],
    task: { queue: 'q' },
    repeat: { until: 'output.done', max: 9 },
    ...more,
  });
  const reached = (more: object = {}): GivenRun => {
    const run = new GivenRun(
      planWith([loop(more), { id: 'store', after: ['poll'], task: { queue: 'q' } }], { limits: { occurrences: 2 } }),
    );
    run.start();
    run.succeed('poll#1', { done: false });
    run.succeed('poll#2', { done: false });
    return run;
  };

  it('asks whether the next turn starts, and holds what comes after the loop', () => {
    const run = reached();
    expect(run.history.slice(-2).map(({ type }) => type)).toEqual(['CheckpointReached', 'ReviewRequested']);
    expect(run.state.status).toMatchObject({ state: 'in_review', sub: 'budget' });
    expect(asked(run)).toMatchObject({
      why: 'budget',
      options: [
        { id: 'go_on', then: 'grant:2' },
        { id: 'give_up', then: 'give_up' },
      ],
    });
  });

  it('goes on with as many again, then asks again', () => {
    const run = reached();
    expect(run.verdict('poll#3', 'approve', { option: 'go_on' })).toEqual(['VerdictApplied(poll#3)', 'StepStarted(poll#3)']);
    run.succeed('poll#3', { done: false });
    expect(run.succeed('poll#4', { done: false })).toEqual([
      'StepSucceeded(poll#4)',
      'CheckpointReached(poll#5)',
      'ReviewRequested(poll#5)',
    ]);
    run.verdict('poll#5', 'approve', { option: 'go_on' });
    expect(run.succeed('poll#5', { done: true })).toEqual(['StepSucceeded(poll#5)', 'StepStarted(store)']);
  });

  it('ends, or passes over an optional loop, where people say so', () => {
    expect(reached().verdict('poll#3', 'reject', { option: 'give_up' })).toEqual(['VerdictApplied(poll#3)', 'RunGaveUp(poll#3)']);
    expect(reached({ optional: true }).verdict('poll#3', 'reject', { option: 'give_up' })).toEqual([
      'VerdictApplied(poll#3)',
      'StepSkipped(poll#3)',
      'StepStarted(store)',
    ]);
  });

  it('goes on when the run does, where it was granted during a pause: a later turn, and a first one', () => {
    const run = reached();
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(run.verdict('poll#3', 'approve', { option: 'go_on' })).toEqual(['VerdictApplied(poll#3)']);
    expect(run.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual(['RunUnpaused', 'StepStarted(poll#3)']);

    const first = new GivenRun(planWith([loop({}, 'one'), loop({}, 'two')], { limits: { occurrences: 1 } }));
    first.start();
    first.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(first.verdict('two#1', 'approve', { option: 'go_on' })).toEqual(['VerdictApplied(two#1)']);
    expect(first.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual(['RunUnpaused', 'StepStarted(two#1)']);
  });

  it('is asked about again on a branch that forks where it was asked, and not where people have granted it since', () => {
    const run = reached();
    const at = run.state.revision;
    const open = () => {
      const fork = { point: { branch: 'main', revision: at }, checkpoint: null };
      const state = run.lineage().at('main', at);
      const data = { from: { branch: 'main', at: String(at) }, cause: 'correction', reason: 'again', fork: { ...fork, state } } as const;
      return run.when({ type: 'OpenBranch', data });
    };
    expect(open()).toEqual(['ReviewWithdrawn(poll#3)', 'BranchSuperseded']);
    expect(began(run)).toEqual(['CheckpointReached(poll#3)', 'ReviewRequested(poll#3)']);
    run.verdict('poll#3', 'approve', { option: 'go_on' });
    open();
    expect(began(run)).toEqual(['StepStarted(poll#3)']);
  });
});
