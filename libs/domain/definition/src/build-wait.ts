import { parseRfc3339 } from '@cairn/kernel';
import type { TriggerDocument, WaitDocument } from './document.js';
import { KEEP_DEFAULT_MS } from './limits.js';
import type { PlannedTrigger, PlannedWait } from './plan.js';
import { EVENT_ROOTS, GUARD_ROOTS, STEP_ROOTS, type PlanCompiler } from './plan-compiler.js';
import { at } from './pointer.js';

export function buildWait(wait: WaitDocument, step: string, pointer: string, compiler: PlanCompiler): PlannedWait {
  const { mode, documents, where } = combinationOf(wait, pointer);
  const triggers = documents.flatMap((trigger, i) => buildTrigger(trigger, step, at(where, i), compiler));
  const { deadline } = wait;
  return {
    mode,
    k: mode === 'any' ? 1 : mode === 'all' ? documents.length : (wait.atLeast?.k ?? 1),
    triggers,
    deadline:
      deadline === undefined
        ? null
        : typeof deadline === 'number'
          ? { kind: 'after', ms: deadline }
          : { kind: 'at', at: instant(deadline.at, at(pointer, 'deadline', 'at'), step, compiler) },
    ...(wait.noDeadline === undefined ? {} : { noDeadline: wait.noDeadline }),
    onDeadline: wait.onDeadline ?? null,
    staleAfterMs: wait.staleAfter ?? null,
    ...(wait.staleReview === undefined ? {} : { staleReview: wait.staleReview }),
    ...(wait.guard === undefined ? {} : { guard: compiler.expression(wait.guard, GUARD_ROOTS, at(pointer, 'guard'), step) }),
    lookBack: wait.lookBack ?? 'run',
    keepOpen: wait.keepOpen ?? false,
  };
}

function combinationOf(
  wait: WaitDocument,
  pointer: string,
): { mode: PlannedWait['mode']; documents: readonly TriggerDocument[]; where: string } {
  if (wait.all !== undefined) return { mode: 'all', documents: wait.all, where: at(pointer, 'all') };
  if (wait.atLeast !== undefined) return { mode: 'atLeast', documents: wait.atLeast.of, where: at(pointer, 'atLeast', 'of') };
  return { mode: 'any', documents: wait.any ?? [], where: at(pointer, 'any') };
}

/** A trigger without a kind was refused before, and gives nothing. */
function buildTrigger(trigger: TriggerDocument, step: string, pointer: string, compiler: PlanCompiler): PlannedTrigger[] {
  const { event, signal, callback, timer } = trigger;
  if (event !== undefined) {
    if (event.where !== undefined) compiler.expression(event.where, EVENT_ROOTS, at(pointer, 'event', 'where'), step);
    return [
      {
        kind: 'event',
        type: event.type,
        ...(event.key === undefined ? {} : { key: compiler.template(event.key, STEP_ROOTS, at(pointer, 'event', 'key'), step) }),
        ...(event.where === undefined ? {} : { where: event.where }),
        ...(event.from === undefined ? {} : { from: event.from }),
        keepMs: event.keep ?? KEEP_DEFAULT_MS,
      },
    ];
  }
  if (signal !== undefined) return [{ kind: 'signal', name: signal }];
  if (callback !== undefined)
    return [{ kind: 'callback', name: callback.name, validate: compiler.schema(callback.schema, at(pointer, 'callback', 'schema')) }];
  if (timer === undefined) return [];
  if (typeof timer === 'number') return [{ kind: 'timer', afterMs: timer }];
  return [{ kind: 'timer', at: instant(timer.at, at(pointer, 'timer', 'at'), step, compiler) }];
}

/** A time that is written out is checked now, not when the wait opens (B-20). How far ahead it lies is known only then. */
function instant(text: string, pointer: string, step: string, compiler: PlanCompiler): ReturnType<PlanCompiler['template']> {
  if (typeof text === 'string' && !text.includes('${') && parseRfc3339(text) === undefined)
    compiler.problems.error(pointer, 'instant', 'a time as in RFC 3339, such as 2027-01-31T09:00:00Z, or an expression that gives one');
  return compiler.template(text, STEP_ROOTS, pointer, step);
}
