import { nothing, rejected, type Decision, type Json } from '@cairn/kernel';
import { advance } from '../advance.js';
import type { CompensateEffect, ReconcileEffect } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { RunRejection } from '../rejections.js';
import type { EffectEntry } from '../state.js';
import { isUnderWay, startPart } from './parts.js';
import { confirmLater, findAbsent } from './settle.js';

type Outcome = Decision<RunEvent, RunRejection>;

/**
 * Finds out what became of an effect that is unknown: asks its reconcile queue, or takes a person's word. Nobody's word counts for one that
 * is still under way, or that is known.
 */
export function reconcileEffect(draft: Draft, { data }: ReconcileEffect): Outcome {
  const { key, found, result, reason } = data;
  const { state, plan, context } = draft;
  if (state.ledger.controls.includes(context.causationId)) return nothing('duplicate');
  const entry = state.ledger.effects.get(key);
  if (entry === undefined) return notFound(key);
  if (entry.status === 'intended')
    return refused('effect_under_way', `effect ${key} is under way: ${entry.step} says what became of it, or its lease runs out`);
  if (entry.status !== 'unknown') return refused('effect_settled', `effect ${key} is ${entry.status}: there is nothing to find out`);
  if (found === undefined) return askWho(draft, key, entry);
  const errors = found ? (plan.step(entry.step)?.validateOutput(result ?? null) ?? []) : [];
  if (errors.length > 0) {
    const told = errors.map((error) => ({ ...error, pointer: `/result${error.pointer}` }));
    return rejected({ code: 'input_invalid', detail: `the result breaks the output schema of ${entry.step}`, errors: told });
  }
  if (found) settleFound(draft, key, { by: 'person', result: result ?? null, ...(reason === undefined ? {} : { reason }) });
  else findAbsent(draft, key, entry, `a person says so: ${reason ?? ''}`);
  return concluded(draft);
}

function askWho(draft: Draft, key: string, entry: EffectEntry): Outcome {
  const queue = draft.plan.step(entry.step)?.effect?.reconcile;
  if (queue === undefined)
    return refused(
      'reconcile_undeclared',
      `step ${entry.step} names no queue that could find out: say what happened, in found, and why you know, in reason`,
    );
  if (isUnderWay(draft.state, entry.step, 'reconcile')) return nothing('duplicate');
  if (isPaused(draft)) return refused('run_paused', 'the run is paused, and starts nothing: let it go on, or say in found what happened');
  startPart(draft, 'reconcile', { key, entry, queue, purpose: `find out whether ${entry.step} has happened` });
  return concluded(draft);
}

/** It has happened: its step goes on with what the target gave, without a second call. */
export function settleFound(
  draft: Draft,
  key: string,
  { by, result, reason }: { readonly by: 'reconcile' | 'person'; readonly result: Json; readonly reason?: string },
): void {
  const entry = draft.state.ledger.effects.get(key);
  if (entry === undefined) return;
  const before = draft.state.path.steps.get(entry.step)?.status;
  confirmLater(draft, key, entry, { by, receipt: result, ...(reason === undefined ? {} : { because: reason }) });
  if (before === 'failed' && draft.state.path.steps.get(entry.step)?.status === 'succeeded') advance(draft, [entry.step]);
}

/** Undoes a confirmed effect, by a handler of its own. The step stays as it is: only what the branch does next with that key is different. */
export function compensateEffect(draft: Draft, { data }: CompensateEffect): Outcome {
  const { key, reason } = data;
  const { state, plan, context } = draft;
  if (state.ledger.controls.includes(context.causationId)) return nothing('duplicate');
  const entry = state.ledger.effects.get(key);
  if (entry === undefined) return notFound(key);
  if (entry.status !== 'confirmed')
    return refused('effect_not_confirmed', `effect ${key} is ${entry.status}: only what has happened for certain can be undone`);
  const queue = plan.step(entry.step)?.effect?.compensate;
  if (queue === undefined) return refused('compensate_undeclared', `step ${entry.step} names no queue that could undo it`);
  if (isUnderWay(state, entry.step, 'compensate')) return nothing('duplicate');
  if (isPaused(draft)) return refused('run_paused', 'the run is paused, and starts nothing: let it go on first');
  startPart(draft, 'compensate', { key, entry, queue, purpose: reason });
  return concluded(draft);
}

/** An ended run starts nothing more of its own, so a pause holds nothing back there. */
const isPaused = ({ state }: Draft): boolean => state.path.paused && state.end === null;

const notFound = (key: string): Outcome => refused('effect_not_found', `the run has intended no effect with key ${key}`);
const refused = (code: RunRejection['code'], detail: string): Outcome => rejected({ code, detail });
