import { nothing, type Decision } from '@cairn/kernel';
import { advance, dropFromScope, goOn, startDueRetries, stepsOfScope } from '../advance.js';
import type { CancelRun, PauseRun, RunCommand, UnpauseRun } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import { reconcileOwed } from '../effects/parts.js';
import type { RunEvent } from '../events.js';
import type { RunRejection } from '../rejections.js';
import { parseOccurrence } from '../state.js';
import { loopsToGoOn } from '../steps/ask-about-turn.js';
import { waitIdOf } from '../waits/evolve.js';
import { endRun } from './end.js';

type Outcome = Decision<RunEvent, RunRejection>;

/** From here on nothing starts. Replies and triggers are still taken (`history.md` §2). */
export function pauseRun(draft: Draft, { data }: PauseRun): Outcome {
  if (draft.state.path.paused || isDone(draft)) return nothing('duplicate');
  draft.add({ type: 'RunPaused', version: 1, data });
  return concluded(draft);
}

/** What became possible while the run was paused happens now: retries whose time has come, and whatever follows from what was settled. */
export function unpauseRun(draft: Draft, { data }: UnpauseRun): Outcome {
  const { paused, deferred } = draft.state.path;
  if (!paused || isDone(draft)) return nothing('duplicate');
  draft.add({ type: 'RunUnpaused', version: 1, data });
  const dropped = dropFromScope(draft); // Of a branch that was opened meanwhile; first, since what is dropped is owed nothing.
  startDueRetries(draft);
  reconcileOwed(draft);
  // Turns first: whether a loop is over is asked here, and what comes after it must not take it for settled before.
  const granted = loopsToGoOn(draft);
  const turns = [...granted.turns, ...deferred.filter((occurrence) => parseOccurrence(occurrence).turn > 0)];
  const others = deferred.filter((occurrence) => parseOccurrence(occurrence).turn === 0);
  advance(
    draft,
    [...turns, ...others, ...dropped],
    [...draft.state.path.detours.values(), ...stepsOfScope(draft), ...guardedIn(draft), ...waitsToOpen(draft), ...granted.first],
  );
  if (draft.state.opened !== null && draft.state.end === null) goOn(draft); // It may have been opened while nothing could start.
  return concluded(draft);
}

/** Waits that people have sent back to their beginning. */
const waitsToOpen = ({ plan, state }: Draft): string[] =>
  plan.steps.flatMap(({ id, wait }) =>
    wait !== undefined && !state.path.steps.has(id) && state.path.waits.has(waitIdOf(state, id)) ? [id] : [],
  );

/** Steps that a review authorises: one that was answered meanwhile has let them go, and nothing else names them. */
const guardedIn = ({ plan }: Draft): string[] => plan.steps.filter(({ guardedBy }) => guardedBy.length > 0).map(({ id }) => id);

/** Waits for no handler: what is open is closed in this append, effects under way are unknown (W-7). */
export function cancelRun(draft: Draft, { data }: CancelRun): Outcome {
  endRun(draft, { type: 'RunCancelled', version: 1, data });
  return concluded(draft);
}

/** Whether an ended run has done what this asks for, of whoever asked: who asks again is answered as the first time. */
export function wasDone(draft: Draft, { type }: RunCommand): boolean {
  if (type === 'CancelRun') return draft.state.end?.outcome === 'cancelled';
  return (type === 'PauseRun' || type === 'UnpauseRun' || type === 'RescheduleWait') && isDone(draft);
}

/** The bus delivers at least once: what was asked for was done, whatever was asked for since. */
const isDone = ({ state, context }: Draft): boolean => state.ledger.controls.includes(context.causationId);
