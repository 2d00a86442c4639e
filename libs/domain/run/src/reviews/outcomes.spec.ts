import { describe, expect, it } from '@jest/globals';
import { GivenRun, planWith } from '../spec/given-run.js';

const HOUR_MS = 3_600_000;
const draft = (more: object = {}): object => ({ id: 'draft', task: { queue: 'writers' }, fallback: [{ queue: 'others' }], ...more });
const approve = (verdicts: object, more: object = {}): object => ({
  id: 'approve',
  after: ['draft'],
  review: { queue: 'desk', question: 'Send?', authorises: ['send'], deadline: '2h', verdicts, ...more },
});
const send = (more: object = {}): object => ({
  id: 'send',
  after: ['approve'],
  purpose: 'tell the customer',
  effect: { queue: 'mail', key: 'mail', guarantee: 'idempotent' },
  input: '${steps.draft.output}',
  ...more,
});
const reduced = [{ id: 'silent', drops: ['approve', 'send'], steps: [], summary: 'Nobody is told' }];

function asked(verdicts: object, steps: readonly object[] = [draft(), approve(verdicts), send()]): GivenRun {
  const run = new GivenRun(planWith(steps, { reduced }));
  run.start();
  run.succeed('draft', { text: 'Dear' });
  return run;
}

const decide = (run: GivenRun, verdict: string, more: { readonly [field: string]: string } = {}, step = 'approve'): string[] | string =>
  run.verdict(step, verdict, more);
const begin = (run: GivenRun): string[] | string => {
  run.openSuccessor();
  return run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
};
const optionsOf = (run: GivenRun): { id: string; then: string; preview: string }[] =>
  (run.history.findLast(({ type }) => type === 'ReviewRequested')?.data as unknown as { options: [] }).options;

describe('a proposal that is sent back', () => {
  it('is made again on a branch from before it, with guidance, and reviewed anew with what came before (C-MODIFIED, U-4)', () => {
    const run = asked({ approve: 'continue', revise: 'branch', reject: 'stop' });
    const first = run.reviewId('approve');
    expect(optionsOf(run).find(({ id }) => id === 'revise')?.preview).toContain('from before draft, which runs again with your guidance');
    expect(decide(run, 'revise', { guidance: 'friendlier' })).toEqual(['VerdictApplied(approve)', 'BranchSuperseded']);
    expect(run.state.superseded?.spec).toMatchObject({
      parent: { branch: 'main', revision: 0 },
      cause: 'retry_modified',
      reason: 'so',
      changes: [{ op: 'add', path: '/steps/draft/guidance', value: 'friendlier' }],
    });
    expect(begin(run)).toEqual(['StepStarted(draft)']);
    expect(run.state.path.steps.get('draft')?.work?.guidance).toBe('friendlier');
    expect(run.succeed('draft', { text: 'Hello' })).toContain('ReviewRequested(approve)');
    expect(run.history.at(-1)?.data).toMatchObject({ n: 1, previous: first, subjects: [{ input: { text: 'Hello' } }] });
    expect(decide(run, 'approve')).toContain('EffectIntended(send)');
    expect(run.state.path.steps.get('send')?.work?.input).toEqual({ text: 'Hello' });
  });

  it('is offered to be revised by itself where a task comes before, and not where none does', () => {
    const plain = asked({}, [draft(), { ...approve({}), review: { queue: 'd', question: 'q', deadline: '1h' } }, send()]);
    expect(optionsOf(plain).map(({ id }) => id)).toEqual(['approve', 'revise', 'reject']);
    const alone = new GivenRun(planWith([{ id: 'ask', review: { queue: 'd', question: 'q', deadline: '1h' } }]));
    alone.start();
    expect(optionsOf(alone).map(({ id }) => id)).toEqual(['approve', 'reject']);
  });

  it('is made by a declared alternative; where none is left the outcome stops, and says so', () => {
    const run = asked({ approve: 'continue', reject: 'fallback' });
    expect(decide(run, 'reject')).toEqual(['VerdictApplied(approve)', 'BranchSuperseded']);
    expect(run.state.superseded?.spec).toMatchObject({ cause: 'fallback', changes: [{ path: '/steps/draft/queue', value: 'others' }] });
    expect(begin(run)).toEqual(['StepStarted(draft)']);
    expect(run.state.path.steps.get('draft')?.work?.queue).toBe('others');
    run.succeed('draft');
    expect(optionsOf(run).find(({ id }) => id === 'reject')).toMatchObject({
      then: 'stop',
      preview: 'The run fails as rejected: nothing is left to fallback.',
    });
    expect(decide(run, 'reject')).toEqual(['VerdictApplied(approve)', 'RunFailed(approve)']);
  });

  it('is made again by the alternative that a policy had taken for it: what failed for good is not tried again (C-FALLBACK)', () => {
    const run = new GivenRun(planWith([draft(), approve({ approve: 'continue', revise: 'branch' }), send()]));
    run.start();
    run.fail('draft');
    run.decideBranch('draft', 'fallback', { fallback: 0 });
    begin(run);
    run.succeed('draft', { text: 'Dear' });
    expect(decide(run, 'revise', { guidance: 'friendlier' })).toEqual(['VerdictApplied(approve)', 'BranchSuperseded']);
    expect(run.state.superseded?.spec).toMatchObject({ parent: { branch: 'b2', revision: 1 }, cause: 'retry_modified' });
    expect(begin(run)).toEqual(['StepStarted(draft)']);
    expect(run.state.path.steps.get('draft')?.work).toMatchObject({ queue: 'others', guidance: 'friendlier' });
  });

  it.each(['reduce', 'reduce:silent'])('completes with less: %s', (then) => {
    const run = asked({ approve: 'continue', reject: then });
    expect(decide(run, 'reject')).toEqual(['VerdictApplied(approve)', 'BranchSuperseded']);
    expect(begin(run)).toEqual(['StepSkipped(send)', 'RunCompleted']);
    expect(run.state.end?.outcome).toBe('reduced');
  });

  it('takes over what has happened since, and does not do it twice (U-5)', () => {
    const post = { id: 'post', after: ['draft'], purpose: 'post it', effect: { queue: 'web', key: 'post', guarantee: 'idempotent' } };
    const run = asked({ approve: 'continue', revise: 'branch' }, [
      draft(),
      post,
      approve({ approve: 'continue', revise: 'branch' }),
      send(),
    ]);
    run.succeed('post', { at: 'url' });
    expect(decide(run, 'revise', { guidance: 'x' })).toContain('BranchSuperseded');
    expect(run.state.superseded?.spec.effectsChoices).toEqual({ post: 'reuse' });
    begin(run);
    expect(run.succeed('draft')).not.toContain('EffectIntended(post)');
  });

  it('is not sent back over an effect that is under way: the run says so and asks anew (I-17)', () => {
    const post = { id: 'post', after: ['draft'], purpose: 'post it', effect: { queue: 'web', key: 'post', guarantee: 'idempotent' } };
    const run = asked({}, [draft(), post, approve({ approve: 'continue', revise: 'branch' }), send()]);
    expect(decide(run, 'revise', { guidance: 'x' })).toEqual([
      'ReviewWithdrawn(approve)',
      'CheckpointReached(approve)',
      'ReviewRequested(approve)',
    ]);
    expect(run.history.at(-3)?.data).toMatchObject({ says: expect.stringContaining('post is about to do it') });
    expect(run.state.status).toMatchObject({ state: 'active' });
  });
});

describe('a wait that asks people', () => {
  const wait = (more: object): object => ({
    id: 'paper',
    wait: { any: [{ event: { type: 'paper', key: 'k' } }], deadline: '2d', ...more },
  });
  const chase = (verdicts: object): object => ({
    id: 'chase',
    side: true,
    review: { queue: 'desk', question: 'Go on?', deadline: '3d', verdicts },
  });
  const file = { id: 'file', after: ['paper'], task: { queue: 'files' } };
  const expired = (verdicts: object): GivenRun => {
    const run = new GivenRun(planWith([wait({ onDeadline: { step: 'chase' } }), chase(verdicts), file]));
    run.start();
    run.now += 48 * HOUR_MS;
    run.when({ type: 'ExpireWait', data: { waitId: run.waitId('paper') } });
    return run;
  };
  const stale = (verdicts: object): GivenRun => {
    const run = new GivenRun(
      planWith([wait({ onDeadline: { giveUp: true }, staleAfter: '1d', staleReview: 'chase' }), chase(verdicts), file]),
    );
    run.start();
    run.now += 24 * HOUR_MS;
    return run;
  };
  const markStale = (run: GivenRun) => run.when({ type: 'MarkStale', data: { waitId: run.waitId('paper') } });

  it('opens again where they say so, as often as they do, and takes what comes then', () => {
    const run = expired({ approve: 'again', reject: 'give_up' });
    expect(decide(run, 'approve', {}, 'chase')).toEqual(['VerdictApplied(chase)', 'CheckpointReached(paper)', 'WaitOpened(paper)']);
    expect(run.state.status).toMatchObject({ state: 'waiting' });
    expect(run.state.path.waits.get(run.waitId('paper'))?.opened.deadline).toBe('2026-11-27T09:00:00.000Z');
    run.now += 48 * HOUR_MS;
    expect(run.when({ type: 'ExpireWait', data: { waitId: run.waitId('paper') } })).toContain('ReviewRequested(chase)');
    decide(run, 'approve', {}, 'chase');
    expect(run.event('paper', 'paper', { key: 'k' })).toEqual(['WaitTriggered(paper)', 'WaitSatisfied(paper)', 'StepStarted(file)']);
  });

  it('is given up where they say so', () => {
    expect(decide(expired({ approve: 'again', reject: 'give_up' }), 'reject', {}, 'chase')).toContain('RunGaveUp(chase)');
  });

  it('asks once when it has become stale, and why: after_wait; what comes then waits for them (C-REVIEWTRIG)', () => {
    const run = stale({ approve: 'continue', reject: 'stop' });
    expect(markStale(run)).toEqual(['WaitStale(paper)', 'CheckpointReached(chase)', 'ReviewRequested(chase)']);
    expect(run.history.at(-1)?.data).toMatchObject({ why: 'after_wait' });
    expect(run.state.status).toMatchObject({ state: 'in_review', sub: 'after_wait' });
    expect(markStale(run)).toBe('nothing: duplicate');
    expect(run.event('paper', 'paper', { key: 'k' })).toEqual(['WaitTriggered(paper)', 'WaitSatisfied(paper)']);
    expect(decide(run, 'approve', {}, 'chase')).toEqual(['VerdictApplied(chase)', 'StepStarted(file)']);
  });

  it('goes on by itself when they have said so before anything came, and ends where they do not', () => {
    const run = stale({ approve: 'continue', reject: 'stop' });
    markStale(run);
    expect(decide(run, 'approve', {}, 'chase')).toEqual(['VerdictApplied(chase)']);
    expect(run.event('paper', 'paper', { key: 'k' })).toContain('StepStarted(file)');
    const other = stale({ approve: 'continue', reject: 'stop' });
    markStale(other);
    expect(decide(other, 'reject', {}, 'chase')).toEqual(['VerdictApplied(chase)', 'WaitWithdrawn(paper)', 'RunFailed(chase)']);
  });

  it.each([false, true])('begins anew where they want it again; what had come: %s', (came) => {
    const run = stale({ approve: 'again', reject: 'stop' });
    markStale(run);
    if (came) run.event('paper', 'paper', { key: 'k' });
    const opened = came
      ? ['CheckpointReached(paper)', 'WaitOpened(paper)']
      : ['WaitWithdrawn(paper)', 'CheckpointReached(paper)', 'WaitOpened(paper)'];
    expect(decide(run, 'approve', {}, 'chase')).toEqual(['VerdictApplied(chase)', ...opened]);
    run.now += 24 * HOUR_MS;
    expect(markStale(run)).toContain('ReviewRequested(chase)');
    expect(decide(run, 'approve', {}, 'chase')).toContain('WaitOpened(paper)');
    expect(run.event('paper', 'paper', { key: 'k', id: 'e2' })).toContain('StepStarted(file)');
  });

  it('opens again when a paused run goes on', () => {
    const run = expired({ approve: 'again', reject: 'give_up' });
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(decide(run, 'approve', {}, 'chase')).toEqual(['VerdictApplied(chase)']);
    expect(run.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual([
      'RunUnpaused',
      'CheckpointReached(paper)',
      'WaitOpened(paper)',
    ]);
  });
});

describe('the reason on the card', () => {
  it.each([
    ['medium', 'planned'],
    ['high', 'risk'],
  ])('of a review that lets go a risk of %s is %s', (risk, why) => {
    const run = asked({}, [draft(), approve({ approve: 'continue' }), send({ risk })]);
    expect(run.history.at(-1)?.data).toMatchObject({ why });
  });
});
