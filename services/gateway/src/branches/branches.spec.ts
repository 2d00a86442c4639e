import { describe, expect, it } from '@jest/globals';
import { idOf, type Id } from '@cairn/kernel';
import { WholeRun } from '../queries/whole-run.js';
import { RunRow } from '../readmodels/run-row.js';
import { correctionFrom, recovered, stepOn, type BranchedHistory } from '../spec/branched-histories.js';
import { told } from '../spec/histories.js';
import { branchesOf } from './branches.js';
import { diffOf } from './diff.js';
import { MARKS_MAX } from './marks.js';

// C-BRANCH, C-COMPARE: what each branch was opened for and what became of it; what is different between two, golden and by a fixed clock.

const RUN: Id = idOf('run', 'default', 'w', 'K-1');
const wholeOf = ({ branches }: BranchedHistory): WholeRun => new WholeRun(new RunRow(RUN), branches);

/** `b` fails again on b2 and goes on on b3, where the run ends. */
const chain = (): BranchedHistory =>
  recovered(RUN)
    .tell(told.stepStarted('c'), told.effectIntended('c'), told.failed('c'), told.effectLeft('EffectAbsent', 'c'))
    .fallback('c', 1, 'third')
    .tell(stepOn('c', 2, 'third'), told.effectIntended('c', 2), told.succeeded('c', 2), told.effectConfirmed('c', 2))
    .tell(told.waitTriggered(RUN, 'w'), told.waitSatisfied(RUN, 'w'), told.completed('ok'));

describe('the branches of a run', () => {
  it('are told with parent, cause, reason, actor, changes, outcome, head, and what each could not go on from', () => {
    expect(branchesOf(wholeOf(recovered(RUN)))).toEqual({
      run: RUN,
      head: 'b2',
      state: 'waiting',
      sub: 'signal',
      branches: [
        {
          branch: 'main',
          head: false,
          shadow: false,
          epoch: 1,
          revision: 8,
          outcome: 'superseded',
          endedAt: '2026-11-23T09:00:07.000Z',
          supersededBy: 'b2',
          failure: { step: 'b', bucket: 'timeout', attempts: '1 of 1', message: 'no' },
          marks: [
            { kind: 'checkpoint', revision: 2, name: 'w.wait' },
            { kind: 'success', revision: 4, name: 'a' },
            { kind: 'failure', revision: 6, name: 'b' },
          ],
          marksBefore: 0,
        },
        {
          branch: 'b2',
          head: true,
          shadow: false,
          epoch: 2,
          revision: 3,
          opened: {
            at: '2026-11-23T09:00:07.000Z',
            actor: 'policy:p@1',
            parent: { branch: 'main', revision: 7 },
            checkpoint: 'w.wait',
            cause: 'fallback',
            reason: 'b failed at attempt 1',
            evidence: ['main@6'],
            changes: [{ op: 'replace', path: '/steps/b/queue', value: 'other' }],
            effects: {},
          },
          outcome: 'open',
          marks: [{ kind: 'success', revision: 3, name: 'b' }],
          marksBefore: 0,
        },
      ],
    });
  });

  it('are each what they were left as, whatever the run is now', () => {
    const told = branchesOf(wholeOf(chain())).branches;
    expect(told.map(({ branch, outcome, supersededBy, epoch, head }) => [branch, outcome, supersededBy, epoch, head])).toEqual([
      ['main', 'superseded', 'b2', 1, false],
      ['b2', 'superseded', 'b3', 2, false],
      ['b3', 'succeeded', undefined, 3, true],
    ]);
  });

  it('say why they could not go on where people went on from them: the newest failure that nothing had mended', () => {
    const history = recovered(RUN).tell(told.stepStarted('c'), told.failed('c'), told.stepStarted('d'), told.failed('d'));
    history.tell(told.stepStarted('d', 2), told.succeeded('d', 2));
    expect(branchesOf(wholeOf(history)).branches[1]).not.toHaveProperty('failure'); // It goes on, and somebody judges that.
    history.supersede(correctionFrom('main', 5), [], 'user:ana');
    expect(branchesOf(wholeOf(history)).branches[1]).toMatchObject({ outcome: 'superseded', failure: { step: 'c', message: 'no' } });
  });

  it('are told between the two appends that make one', () => {
    const history = recovered(RUN).tell(told.stepStarted('c'), told.failed('c')).fallback('c', 1, 'third', false);
    const view = branchesOf(wholeOf(history));
    expect(view).toMatchObject({ head: 'b3', state: 'retrying' });
    expect(view.branches.at(-1)).toEqual({
      branch: 'b3',
      head: true,
      shadow: false,
      epoch: 3,
      revision: -1,
      outcome: 'open',
      marks: [],
      marksBefore: 0,
    });
  });

  it('are shown by their newest marks, and failures of one step that follow each other as one', () => {
    const history = recovered(RUN);
    for (let n = 1; n <= MARKS_MAX; n++) history.tell(told.checkpoint(`c${n}`));
    history.tell(told.stepStarted('c'), told.failed('c'), told.stepStarted('c', 2), told.failed('c', 2));
    const b2 = branchesOf(wholeOf(history)).branches[1];
    expect(b2).toMatchObject({ marksBefore: 2 });
    expect(b2?.marks).toHaveLength(MARKS_MAX);
    expect(b2?.marks.slice(-2)).toMatchObject([{ name: `c${MARKS_MAX}` }, { kind: 'failure', name: 'c', revision: MARKS_MAX + 7 }]);
  });
});

describe('what is different between two branches', () => {
  it('is the change set, and each step and effect that is not the same', () => {
    expect(diffOf(wholeOf(chain()), 'main', 'b3')).toEqual({
      run: RUN,
      a: {
        branch: 'main',
        revision: 8,
        outcome: 'superseded',
        failure: { step: 'b', bucket: 'timeout', attempts: '1 of 1', message: 'no' },
        attempts: 2,
        usd: 0,
        seconds: 7,
      },
      b: { branch: 'b3', revision: 8, outcome: 'succeeded', attempts: 5, usd: 0, seconds: 21 },
      ancestor: { branch: 'main', revision: 7 },
      changes: [
        {
          side: 'b',
          branch: 'b2',
          parent: { branch: 'main', revision: 7 },
          cause: 'fallback',
          reason: 'b failed at attempt 1',
          actor: 'policy:p@1',
          changes: [{ op: 'replace', path: '/steps/b/queue', value: 'other' }],
          effects: {},
        },
        {
          side: 'b',
          branch: 'b3',
          parent: { branch: 'b2', revision: 8 },
          cause: 'fallback',
          reason: 'c failed at attempt 1',
          actor: 'policy:p@1',
          changes: [{ op: 'replace', path: '/steps/c/queue', value: 'third' }],
          effects: {},
        },
      ],
      steps: [
        {
          step: 'w',
          differs: ['outcome', 'output', 'seconds'],
          a: { attempts: 0, outcome: 'open', usd: 0, seconds: null },
          b: { attempts: 0, outcome: 'succeeded', output: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), usd: 0, seconds: 17 },
        },
        {
          step: 'b',
          differs: ['queue', 'attempts', 'outcome', 'output', 'failure', 'seconds'],
          a: {
            queue: 'q',
            input: {},
            params: {},
            attempts: 1,
            outcome: 'failed',
            failure: { bucket: 'timeout', message: 'no' },
            usd: 0,
            seconds: 1,
          },
          b: {
            queue: 'other',
            input: {},
            params: {},
            attempts: 2,
            outcome: 'succeeded',
            output: 'sha256:61ea68382726519b98401fbd3365ba1edc05eb181504d8811ad04a204afb23ed',
            usd: 0,
            seconds: 4,
          },
        },
        { step: 'c', differs: expect.arrayContaining(['queue', 'outcome']), a: null, b: expect.objectContaining({ queue: 'third' }) },
      ],
      same: 1,
      effects: [{ key: 'c', a: null, b: { status: 'confirmed', suffix: 0, fingerprint: 'f'.repeat(64) } }],
    });
  });

  it('is nothing for a branch and itself, and the same seen from the other side', () => {
    const whole = wholeOf(chain());
    for (const branch of ['main', 'b2', 'b3']) {
      const { changes, steps, effects, a, b, ancestor } = diffOf(whole, branch, branch);
      expect([changes, steps, effects]).toEqual([[], [], []]);
      expect([a, ancestor]).toEqual([b, { branch, revision: a.revision }]);
    }
    const [there, back] = [diffOf(whole, 'main', 'b3'), diffOf(whole, 'b3', 'main')];
    expect(back.steps.map(({ step, a, b }) => ({ step, a: b, b: a })).sort(byStep)).toEqual(
      there.steps.map(({ step, a, b }) => ({ step, a, b })).sort(byStep),
    );
    expect(back.changes.map(({ side, branch }) => [side, branch])).toEqual([
      ['a', 'b2'],
      ['a', 'b3'],
    ]);
  });

  it('tells what was done on one side, and what the other took from it instead of doing it again', () => {
    const history = recovered(RUN);
    history.tell(told.stepStarted('c'), told.effectIntended('c'), told.succeeded('c'), told.effectConfirmed('c'));
    history.supersede({ ...correctionFrom('main', 5), effectsChoices: { c: 'reuse' } }, [], 'user:ana');
    const [confirmed, reused] = ['confirmed', 'reused'].map((status) => ({ status, suffix: 0, fingerprint: 'f'.repeat(64) }));
    expect(diffOf(wholeOf(history), 'b2', 'b3').effects).toEqual([{ key: 'c', a: confirmed, b: null }]);
    history.tell(told.stepStarted('c', 2), told.succeeded('c', 2));
    expect(diffOf(wholeOf(history), 'b2', 'b3').effects).toEqual([{ key: 'c', a: confirmed, b: reused }]);
    expect(diffOf(wholeOf(history), 'main', 'b3')).toMatchObject({
      changes: [{ branch: 'b3', effects: { c: 'reuse' } }],
      effects: [{ key: 'c', a: null, b: reused }],
    });
  });

  it('tells what people decided on each side, and what was given by hand (C-COMPARE, C-OVERRIDE)', () => {
    const history = recovered(RUN).tell(told.reviewRequested(RUN, 'ask'), told.verdictApplied(RUN, 'ask', 'continue'));
    const given = { ...correctionFrom('main', 5), changes: [{ op: 'add' as const, path: '/outputs/w', value: { trigger: 0 } }] };
    history.supersede(given, [told.waitWithdrawn(RUN, 'w')], 'user:ana').tell(told.reviewRequested(RUN, 'ask'));
    const step = (name: string): unknown => diffOf(wholeOf(history), 'b2', 'b3').steps.find((one) => one.step === name);
    expect(step('ask')).toMatchObject({
      differs: ['outcome', 'verdict', 'seconds'],
      a: { outcome: 'succeeded', verdict: { verdict: 'approve' } },
      b: { outcome: 'open' },
    });
    expect(step('w')).toMatchObject({ a: { outcome: 'withdrawn' }, b: { outcome: 'given', output: expect.stringMatching(/^sha256:/) } });
    history.tell(told.reviewWithdrawn(RUN, 'ask'));
    expect(step('ask')).toMatchObject({ b: { outcome: 'withdrawn' } });
  });

  it('leaves a step as it is while people are asked what becomes of its failure', () => {
    const history = recovered(RUN).tell(told.stepStarted('c'), told.failed('c'), told.reviewRequested(RUN, 'c', 'budget'));
    history.tell(told.verdictApplied(RUN, 'c', 'give_up'), told.reviewWithdrawn(RUN, 'c'));
    expect(diffOf(wholeOf(history), 'main', 'b2').steps.find(({ step }) => step === 'c')).toMatchObject({
      b: { outcome: 'failed', failure: { message: 'no' } },
    });
  });

  it('counts the time of a path to its end, however much later the run was recovered', () => {
    const history = chain();
    const { seconds } = diffOf(wholeOf(history), 'main', 'b3').b;
    history.pass(100).supersede(correctionFrom('main', 5), [], 'user:ana');
    expect(diffOf(wholeOf(history), 'b3', 'b4').a).toMatchObject({ outcome: 'succeeded', seconds });
    expect(branchesOf(wholeOf(history)).branches[2]).toMatchObject({ outcome: 'succeeded', supersededBy: 'b4', head: false });
  });

  it('finds the fork of branches beside each other', () => {
    const history = recovered(RUN);
    history.supersede(correctionFrom('main', 5), [], 'user:ana');
    const diff = diffOf(wholeOf(history), 'b2', 'b3');
    expect(diff.ancestor).toEqual({ branch: 'main', revision: 5 });
    expect(diff.changes.map(({ side, branch, cause }) => [side, branch, cause])).toEqual([
      ['a', 'b2', 'fallback'],
      ['b', 'b3', 'correction'],
    ]);
    expect(diff.steps.find(({ step }) => step === 'b')).toMatchObject({ a: { outcome: 'succeeded' }, b: { outcome: 'open', attempts: 1 } });
  });
});

const byStep = (a: { step: string }, b: { step: string }): number => (a.step < b.step ? -1 : 1);
