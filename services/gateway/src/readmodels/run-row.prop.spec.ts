import { describe, expect, it } from '@jest/globals';
import { decodeRunEvents, evolve, initialState, isOpenReview, type RunEvent } from '@cairn/domain-run';
import { idOf, type Id } from '@cairn/kernel';
import fc from 'fast-check';
import { BranchedHistory } from '../spec/branched-histories.js';
import { BEGIN, history, told } from '../spec/histories.js';
import { walk } from '../spec/random-runs.js';
import { RunRow, SILENT_AFTER_MS } from './run-row.js';

/**
 * Goal: a row says of a run what the domain's own fold says, after every event (E-3 of `reliability.md`). Method: random walks over
 * what may happen to a run with four steps, two of them effects, and two waits, paused and gone on with, and ended in every way; each
 * event told to both.
 */
const RUN: Id = idOf('run', 'default', 'w', 'k');

/** The walk, that goes on on another branch behind each failure at one of these places. */
function branched(events: readonly RunEvent[], forks: readonly number[]): BranchedHistory {
  const history = new BranchedHistory(RUN);
  for (const [i, event] of events.entries()) {
    if (forks.some((fork) => fork % 3 === i % 3) && event.type === 'RetryDecided' && event.data.decision === 'retry') {
      const { step, attemptId } = event.data;
      const entry = history.stateOf(history.head).path.retries.get(attemptId);
      history.fallback(step, entry?.n ?? 1, 'other');
    } else if (isOf(history, event)) history.tell(event);
  }
  return history;
}

/** What is said of a review that was left behind with its branch is told of no run: the decider asks nobody any more. */
function isOf(history: BranchedHistory, event: RunEvent): boolean {
  if (event.type !== 'VerdictApplied' && event.type !== 'ReviewEscalated' && event.type !== 'ReviewWithdrawn') return true;
  const review = history.stateOf(history.head).path.reviews.get(event.data.reviewId);
  return review !== undefined && isOpenReview(review);
}

describe('a row of a run', () => {
  it('is at every revision what the domain folds', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { minLength: 20, maxLength: 60 }), (picks) => {
        const events = history(RUN, walk(RUN, picks));
        const row = new RunRow(RUN);
        let state = initialState(RUN);
        let entered = '';
        for (const [i, event] of decodeRunEvents(events).entries()) {
          state = evolve(state, event, event);
          const before = row.state;
          row.apply(events[i]!);
          if (i === 0 || before !== row.state) entered = row.lastAt;
          expect(row.entered).toBe(entered);
          expect({ state: row.state, sub: row.sub, since: row.since, revision: row.revision }).toEqual({
            ...state.status,
            revision: state.revision,
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is, on whatever branch the run goes on, what the domain folds of the head; and the same when events come again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { minLength: 10, maxLength: 40 }), fc.array(fc.nat(60), { maxLength: 3 }), (picks, forks) => {
        const told = branched(walk(RUN, picks), forks);
        const [row, twice] = [new RunRow(RUN), new RunRow(RUN)];
        for (const [i, event] of told.stored.entries()) {
          row.apply(event);
          for (const again of told.stored.slice(Math.max(0, i - 5), i + 1)) twice.apply(again);
        }
        const { status, revision, branch, ledger } = told.stateOf(told.head);
        expect({ state: row.state, sub: row.sub, since: row.since, revision: row.revision, head: row.head }).toEqual({
          ...status,
          revision,
          head: branch,
        });
        expect([...row.branches].sort()).toEqual(Object.keys(ledger.branches.toObject()).sort());
        expect(twice.view(0)).toEqual(row.view(0));
      }),
      { numRuns: 30 },
    );
  });

  it('is the same when events come again, and when it was copied on the way', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { maxLength: 40 }), fc.nat(40), (picks, cut) => {
        const events = history(RUN, walk(RUN, picks));
        const straight = new RunRow(RUN);
        for (const event of events) straight.apply(event);
        const first = new RunRow(RUN);
        for (const event of events.slice(0, cut)) first.apply(event);
        const before = JSON.stringify(first.view(0));
        const copied = first.copy();
        for (const event of [...events.slice(0, cut), ...events.slice(Math.max(0, cut - 3)), ...events]) copied.apply(event);
        expect(copied.view(0)).toEqual(straight.view(0));
        expect(JSON.stringify(first.view(0))).toBe(before);
      }),
      { numRuns: 150 },
    );
  });

  it('is flagged while it waits unnoticed, and when somebody should be at work and nothing is heard', () => {
    const row = new RunRow(RUN);
    const events = history(RUN, [told.started(), told.waitOpened(RUN, 'w1'), told.waitTriggered(RUN, 'w1'), told.waitSatisfied(RUN, 'w1')]);
    const flagsAt = (revision: number, nowMs: number): readonly string[] => {
      for (const event of events.slice(0, revision + 1)) row.apply(event);
      return row.view(nowMs).flags;
    };
    expect(flagsAt(1, BEGIN + 10 * SILENT_AFTER_MS)).toEqual(['quiet']); // Waiting is not being silent.
    expect(flagsAt(3, BEGIN + 10_000)).toEqual([]);
    expect(flagsAt(3, BEGIN + SILENT_AFTER_MS + 10_000)).toEqual(['silent']);
    for (const event of history(RUN, [told.paused()], 4, events[3]?.metadata.hash)) row.apply(event);
    expect(row.view(BEGIN + 10 * SILENT_AFTER_MS)).toMatchObject({ state: 'blocked', sub: 'paused', flags: [] }); // Somebody wanted it so.
  });
});
