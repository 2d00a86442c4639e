import type { RunEvent } from '@cairn/domain-run';
import type { Id } from '@cairn/kernel';
import { told } from './histories.js';

const STEPS = ['a', 'b', 'c', 'd'];
const EFFECTS = ['c', 'd'];
const WAITS = ['w1', 'w2'];
const REVIEWS = { r1: 'planned', r2: 'risk' } as const;
const BUCKETS = ['timeout', 'network', 'rate_limited', 'x-ours'];
const ENDS = [told.completed('ok'), told.runFailed(), told.gaveUp(), told.cancelled()];

type Status = 'idle' | 'open' | 'failed' | 'retry' | 'blocked' | 'over';

/**
 * A run of four steps, two of them effects, and two waits, paused and gone on with, and ended in every way or not at all. Walked by
 * numbers: each picks one of the moves that are possible then.
 */
export function walk(run: Id, picks: readonly number[]): RunEvent[] {
  const events: RunEvent[] = [told.started()];
  const steps = new Map(STEPS.map((step) => [step, { status: 'idle' as Status, attempt: 0 }]));
  const waits = new Map(WAITS.map((step) => [step, 'idle' as 'idle' | 'open' | 'over']));
  const reviews = new Map(Object.keys(REVIEWS).map((step) => [step, 'idle' as 'idle' | 'open' | 'over']));
  let paused = false;
  for (const pick of picks) {
    const moves: (() => void)[] = [];
    for (const [step, state] of steps) moves.push(...movesOfStep(step, state, pick, events));
    for (const [step, status] of waits) {
      if (status === 'idle')
        moves.push(() => {
          waits.set(step, 'open');
          events.push(told.checkpoint(`${step}.wait`, 'wait'), told.waitOpened(run, step, step === 'w1' ? ['event', 'timer'] : ['signal']));
        });
      if (status === 'open')
        moves.push(() => {
          waits.set(step, 'over');
          events.push(...(pick % 3 === 0 ? [told.waitExpired(run, step)] : [told.waitTriggered(run, step), told.waitSatisfied(run, step)]));
        });
    }
    for (const [step, status] of reviews) {
      if (status === 'idle')
        moves.push(() => {
          reviews.set(step, 'open');
          events.push(told.reviewRequested(run, step, REVIEWS[step as keyof typeof REVIEWS]));
        });
      if (status === 'open')
        moves.push(
          () => events.push(told.reviewEscalated(run, step)),
          () => {
            reviews.set(step, 'over');
            events.push(told.verdictApplied(run, step, pick % 7 === 0 ? 'block' : 'continue'));
          },
        );
    }
    // Seldom, and not for long: a pause hides what the state would be without it.
    if (pick % 5 === 0 || paused)
      moves.push(() => {
        paused = !paused;
        events.push(paused ? told.paused() : told.unpaused());
      });
    moves[pick % Math.max(1, moves.length)]?.();
    if (pick % 197 === 196) {
      const open = [...waits].filter(([, status]) => status === 'open').map(([step]) => told.waitWithdrawn(run, step));
      const asked = [...reviews].filter(([, status]) => status === 'open').map(([step]) => told.reviewWithdrawn(run, step));
      return [...events, ...open, ...asked, ENDS[pick % ENDS.length] ?? told.cancelled()];
    }
  }
  return events;
}

function movesOfStep(step: string, state: { status: Status; attempt: number }, pick: number, events: RunEvent[]): (() => void)[] {
  const moves: (() => void)[] = [];
  const isEffect = EFFECTS.includes(step);
  const move = (status: Status, more: () => readonly RunEvent[], again = 0): void =>
    void moves.push(() => {
      state.attempt += again;
      state.status = status;
      events.push(...more());
    });
  const start = (): RunEvent[] => [told.stepStarted(step, state.attempt), ...(isEffect ? [told.effectIntended(step, state.attempt)] : [])];
  const fail = (left: 'EffectAbsent' | 'EffectUnknown') => (): RunEvent[] => [
    told.failed(step, state.attempt),
    ...(isEffect ? [told.effectLeft(left, step, state.attempt)] : []),
  ];
  if (state.status === 'idle' || state.status === 'retry') move('open', start, 1);
  // Refused by the decider: this attempt has no intent, whatever an earlier one left.
  if (state.status === 'retry') move('failed', () => [told.stepStarted(step, state.attempt), told.failed(step, state.attempt)], 1);
  if (state.status === 'open') {
    move('over', () => [told.succeeded(step, state.attempt), ...(isEffect ? [told.effectConfirmed(step, state.attempt)] : [])]);
    move('failed', fail('EffectAbsent'));
    move('failed', fail('EffectUnknown'));
  }
  if (state.status === 'failed') {
    const bucket = BUCKETS[pick % BUCKETS.length] ?? 'timeout';
    move('retry', () => [told.decided(step, state.attempt, 'retry', bucket)]);
    move('blocked', () => [told.decided(step, state.attempt, pick % 2 === 0 ? 'block' : 'escalate', bucket)]);
    move('over', () => [told.decided(step, state.attempt, 'give_up', bucket), told.skipped(step)]);
  }
  return moves;
}
