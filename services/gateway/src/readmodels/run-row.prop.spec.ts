import { describe, expect, it } from '@jest/globals';
import { decodeRunEvents, evolve, initialState, type RunEvent } from '@cairn/domain-run';
import { idOf, type Id } from '@cairn/kernel';
import fc from 'fast-check';
import { BEGIN, history, told } from '../spec/histories.js';
import { RunRow, SILENT_AFTER_MS } from './run-row.js';

/**
 * Goal: a row says of a run what the domain's own fold says, after every event (E-3 of `reliability.md`). Method: random walks over
 * what may happen to a run with four steps and two waits, each event told to both.
 */
const RUN: Id = idOf('run', 'default', 'w', 'k');
const STEPS = ['a', 'b', 'c', 'd'];
const WAITS = ['w1', 'w2'];
const BUCKETS = ['timeout', 'network', 'rate_limited'];

/** One run, walked by numbers: each picks one of the moves that are possible then. */
function walk(picks: readonly number[]): RunEvent[] {
  const events: RunEvent[] = [told.started()];
  const steps = new Map(
    STEPS.map((step) => [step, { status: 'idle' as 'idle' | 'open' | 'failed' | 'retry' | 'blocked' | 'over', attempt: 0 }]),
  );
  const waits = new Map(WAITS.map((step) => [step, 'idle' as 'idle' | 'open' | 'over']));
  for (const pick of picks) {
    const moves: (() => void)[] = [];
    for (const [step, state] of steps) {
      const move = (status: typeof state.status, event: () => RunEvent, again = 0): void =>
        void moves.push(() => {
          state.attempt += again;
          state.status = status;
          events.push(event());
        });
      if (state.status === 'idle' || state.status === 'retry') move('open', () => told.stepStarted(step, state.attempt), 1);
      if (state.status === 'open') {
        move('over', () => told.succeeded(step, state.attempt));
        move('failed', () => told.failed(step, state.attempt));
      }
      if (state.status === 'failed') {
        const bucket = BUCKETS[pick % BUCKETS.length] ?? 'timeout';
        move('retry', () => told.decided(step, state.attempt, 'retry', bucket));
        move('blocked', () => told.decided(step, state.attempt, 'block', bucket));
      }
    }
    for (const [step, status] of waits) {
      if (status === 'idle')
        moves.push(
          () => (waits.set(step, 'open'), void events.push(told.waitOpened(RUN, step, step === 'w1' ? ['event', 'timer'] : ['signal']))),
        );
      if (status === 'open')
        moves.push(() => (waits.set(step, 'over'), void events.push(told.waitTriggered(RUN, step), told.waitSatisfied(RUN, step))));
    }
    moves[pick % Math.max(1, moves.length)]?.();
    if (pick % 97 === 96) return [...events, pick % 2 === 0 ? told.completed('ok') : told.runFailed()];
  }
  return events;
}

describe('a row of a run', () => {
  it('is at every revision what the domain folds', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { maxLength: 60 }), (picks) => {
        const events = history(RUN, walk(picks));
        const row = new RunRow(RUN);
        let state = initialState(RUN);
        for (const [i, event] of decodeRunEvents(events).entries()) {
          state = evolve(state, event, event);
          row.apply(events[i]!);
          expect({ state: row.state, sub: row.sub, since: row.since, revision: row.revision }).toEqual({
            ...state.status,
            revision: state.revision,
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is the same when events come again, and when it was copied on the way', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { maxLength: 40 }), fc.nat(40), (picks, cut) => {
        const events = history(RUN, walk(picks));
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
  });
});
