/**
 * Goal: the fold of examples/read-the-history, and so the tables of docs/reference/history.md that it follows, hold for odd runs as well
 * (C-STATE). Method: random commands lead runs of definitions that have every kind of step; beside the product the example folds what was
 * recorded, and must give the same bytes at every revision, also between the events of one append.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { beginningOf, eventSchemas, evolve, initialState, stateView, type RunState } from '@cairn/domain-run';
import { canon, type JsonObject } from '@cairn/kernel';
import { faultsOfStream } from '../../../examples/read-the-history/checks.mjs';
import type { Recorded } from '../../../examples/read-the-history/encoding.mjs';
import { State } from '../../../examples/read-the-history/state.mjs';
import { GivenRun, planWith, RUN } from '../../../libs/domain/run/src/spec/given-run.js';
import { playOddly, type Move } from './odd-moves.js';

const task = (id: string, more: object = {}): object => ({ id, task: { queue: 'q' }, fallback: [{ queue: 'other' }], ...more });
const effect = (id: string, key: string, more: object = {}): object => ({
  id,
  purpose: 'be paid',
  effect: { queue: 'q', key, guarantee: 'none' },
  after: [],
  ...more,
});
const lookedUp = { queue: 'q', guarantee: 'reconcile', reconcile: 'look', compensate: 'undo' };
const signals = [{ signal: 'x' }, { signal: 'y' }, { timer: '1h' }];
const wait = (id: string, of: object, onDeadline: object, more: object = {}): object => ({
  id,
  after: [],
  wait: { deadline: '2h', onDeadline, staleAfter: '30m', ...of },
  ...more,
});

const review = (id: string, of: object, more: object = {}): object => ({
  id,
  after: [],
  review: { queue: 'q', question: 'Go on?', deadline: '2h', ...of },
  ...more,
});

/** Bounds that are soon reached: people are asked over them. */
const limits: { readonly [plan: string]: object } = {
  'limits that are reached': { branches: 2, occurrences: 4 },
};

/** Paths with less, of the definitions that have one. */
const reduced: { readonly [plan: string]: readonly unknown[] } = {
  'limits that are reached': [{ id: 'less', drops: ['a'], steps: [task('least')], summary: 'without a' }],
  'a short way to the end': [{ id: 'less', drops: ['a'], steps: [task('least')], summary: 'without a' }],
  'people who send back': [{ id: 'less', drops: ['c'], steps: [task('least')], summary: 'without c' }],
  'waits of every kind': [{ id: 'less', drops: ['most', 'after'], steps: [task('least')], summary: 'without most' }],
};

const plans = {
  'a short way to the end': [task('a', { checkpoint: 'only' }), { id: 'tell', emit: { type: 'spec.told', data: { n: 1 } } }],
  'tasks, turns, side by side': [
    task('a', { checkpoint: 'first' }),
    task('turns', { after: [], repeat: { until: 'turn == 3', max: 3 } }),
    task('c', { after: ['a'], when: 'input.n > 1' }),
    task('d', { after: ['a', 'turns'], optional: true, checkpoint: 'second' }),
    task('e', { after: ['a', 'd'], join: 'any' }),
    { id: 'tell', after: ['e'], emit: { type: 'spec.told', data: { n: 1 } } },
  ],
  'effects that share keys': [
    task('a'),
    effect('once', 'k'),
    effect('again', 'k', { after: ['a'] }),
    effect('safely', 'k2', { effect: { queue: 'q', key: 'k2', guarantee: 'idempotent' } }),
    effect('maybe', 'undefined', { after: ['a'], optional: true }),
    task('b', { after: ['once', 'again', 'safely', 'maybe'], checkpoint: 'paid' }),
  ],
  'effects that are found out about and undone': [
    task('a'),
    effect('looked-up', 'k', { effect: { ...lookedUp, key: 'k' } }),
    effect('undone', 'k2', { after: ['a'], effect: { ...lookedUp, key: 'k2', guarantee: 'none' } }),
    effect('sure', 'k3', { effect: { ...lookedUp, key: 'k3', guarantee: 'idempotent' }, optional: true }),
    task('b', { after: ['looked-up', 'undone', 'sure'], checkpoint: 'paid' }),
  ],
  'waits of every kind': [
    wait('w', { any: signals }, { step: 'late' }),
    task('late', { side: true }),
    wait('all', { all: signals }, { value: { '10': null, '9': 1.5e-7 } }),
    wait('most', { atLeast: { k: 2, of: signals } }, { fail: 'x-late' }, { optional: true }),
    wait('kept', { any: signals, keepOpen: true }, { fail: 'timeout' }),
    task('after', { after: ['w', 'all', 'most', 'kept'], checkpoint: 'woken' }),
  ],
  'people who decide': [
    task('a', { after: [] }),
    wait('w', { any: signals }, { value: null }),
    review('ask', {
      authorises: ['pay'],
      editable: ['/amount'],
      receiptTtl: '1h',
      verdicts: { approve: 'continue', edit: 'continue', reject: 'step:tell' },
    }),
    effect('pay', 'k', { after: ['ask', 'w'], input: { amount: 5 } }),
    task('tell', { side: true }),
    review('gate', { authorises: ['b'], onDeadline: 'block', verdicts: { approve: 'continue', reject: 'skip' } }),
    task('b', { after: ['gate'], input: { a: '${steps.a.status}' } }),
    review(
      'enough',
      { quorum: { of: 2 }, verdicts: { approve: 'continue', edit: 'continue', reject: 'give_up' }, editable: ['/amount'] },
      { input: { amount: 1 } },
    ),
    review('stop', {}, { after: ['b', 'pay'] }),
  ],
  'people who send back': [
    wait('w', { any: signals, staleReview: 'doubt' }, { step: 'chase' }),
    review('doubt', { verdicts: { approve: 'again', reject: 'continue' } }, { side: true, after: undefined }),
    review('chase', { verdicts: { approve: 'again', reject: 'continue' } }, { side: true, after: undefined }),
    wait('v', { all: signals, staleReview: 'unsure' }, { value: 1 }),
    review('unsure', { verdicts: { approve: 'continue', reject: 'again' } }, { side: true, after: undefined }),
    task('a', { after: [], fallback: [{ queue: 'other' }] }),
    review(
      'ask',
      { authorises: ['b'], verdicts: { approve: 'continue', edit: 'branch', reject: 'fallback' }, editable: ['/amount'] },
      { after: ['a'] },
    ),
    task('b', { after: ['ask'], input: { amount: 5 } }),
    review('more', { verdicts: { approve: 'reduce', reject: 'branch' } }, { after: ['a'] }),
    task('c', { after: ['w', 'v', 'b', 'more'] }),
  ],
  'limits that are reached': [
    task('a', { after: [], fallback: [{ queue: 'other' }, { queue: 'third' }] }),
    task('turns', { after: [], repeat: { until: 'turn == 9', max: 9 } }),
    task('others', { after: [], repeat: { until: 'turn == 9', max: 9 }, optional: true }),
    task('end', { after: ['a', 'turns', 'others'] }),
  ],
  'an end while much is open': [
    review('asked', {}),
    wait('w', { any: signals }, { giveUp: true }),
    task('a', { after: [] }),
    task('b', { after: [] }),
    effect('e', 'k'),
    task('c', { after: ['a', 'b', 'w', 'e'] }),
  ],
};

const MOVES_MAX = 50;
const RUNS = 100;
/** Fixed, so that what is met is met every time. */
const SEED = 1;
const moves: fc.Arbitrary<Move[]> = fc.array(fc.record({ kind: fc.nat(99), pick: fc.nat(30), pass: fc.nat(8_000_000) }), {
  maxLength: MOVES_MAX,
  size: 'max',
});

/** The reader's states change in place. */
const copyOf = (state: State): State =>
  Object.assign(new State(), state, {
    counted: new Set(state.counted),
    slices: Object.fromEntries(
      Object.entries(state.slices).map(([name, slice]) => [name, Object.assign(Object.create(null) as object, slice)]),
    ),
  });

describe('the fold of examples/read-the-history', () => {
  const met = new Set<string>();
  const shown = new Set<string>();

  it.each(Object.entries(plans))('gives what the product gives, of %s', (name, steps) => {
    const more = { reduced: reduced[name], limits: limits[name] };
    const plan = planWith(steps, Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)));
    fc.assert(
      fc.property(moves, (list) => {
        const run = new GivenRun(plan);
        run.loaded.set(`sha256:${'0'.repeat(64)}`, {}); // The artifact that odd moves name.
        run.start({ n: list.length % 3 });
        for (const move of list) playOddly(run, move);
        const branches = Object.fromEntries(run.branches) as unknown as Record<string, Recorded[]>;
        for (const stored of Object.values(branches)) expect(faultsOfStream(stored, branches)).toEqual([]);
        let theirs = new State();
        let ours = initialState(RUN);
        // By place: where branches may grow.
        const known = new Map<string, { readonly theirs: State; readonly ours: RunState }>();
        for (const event of run.history) {
          const at = String((event as unknown as Recorded).metadata['branch']);
          if (event.type === 'BranchOpened') {
            const [fork, head] = [event.data.parent, event.data.predecessor].map(({ branch, revision }) =>
              known.get(`${branch}@${revision}`)!,
            );
            theirs = State.beginning(fork!.theirs, head!.theirs, event.data.shadow);
            ours = beginningOf(at, fork!.ours, head!.ours);
          } else if (event.revision > 0) {
            const before = known.get(`${at}@${event.revision - 1}`)!;
            theirs = copyOf(before.theirs);
            ({ ours } = before);
          }
          ours = evolve(ours, event, event);
          theirs.apply(event as unknown as Recorded);
          known.set(`${ours.branch}@${ours.revision}`, { theirs: copyOf(theirs), ours });
          expect(canon(theirs.view)).toBe(canon(stateView(ours) as JsonObject));
          met.add(event.type);
          shown.add(`${ours.status.state} ${ours.status.sub ?? ''}`.trim());
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });

  it('has met every event that a run may have, and every state', () => {
    expect([...met].sort()).toEqual(
      Object.keys(eventSchemas)
        .map((key) => key.replace(/@1$/, ''))
        .sort(),
    );
    expect([...shown].sort()).toEqual([
      'active',
      'blocked awaiting_decision',
      'blocked effect_unknown',
      'blocked paused',
      'complete abandoned',
      'complete cancelled',
      'complete failed',
      'complete gave_up',
      'complete reduced',
      'complete stopped',
      'complete succeeded',
      'escalated after_retries',
      'escalated after_wait',
      'escalated budget',
      'escalated planned',
      'escalated planned+recovery',
      'escalated recovery',
      'in_review after_wait',
      'in_review after_wait+planned',
      'in_review budget',
      'in_review planned',
      'in_review recovery',
      'retrying',
      'retrying handler_lost',
      'waiting signal+timer',
    ]);
  });
});
