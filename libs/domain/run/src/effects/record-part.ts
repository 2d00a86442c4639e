import { canon, type Decision, type FieldError, type Json } from '@cairn/kernel';
import { advance } from '../advance.js';
import type { RecordReply } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { RunRejection } from '../rejections.js';
import { failAttempt } from '../steps/start.js';
import { parseOccurrence, type EffectEntry, type OpenAttempt, type StepWork } from '../state.js';
import { settleFound } from './decide.js';
import { findAbsent } from './settle.js';

/** Characters of a result that a reconciliation brings: it stands in the history as the output of the step. As of any event's data. */
export const RECEIPT_CHARS_MAX = 65_536;

/** What a reconcile handler answers (`capabilities.md` §4). */
interface Found {
  readonly found: boolean | null;
  readonly result?: Json;
}

/** A reply to an attempt that finds out about an effect or undoes it. It is about the world as it is now, and repeats no act of its step. */
export function recordPart(draft: Draft, { data }: RecordReply, { step: occurrence }: OpenAttempt): Decision<RunEvent, RunRejection> {
  const { attemptId, result, usage } = data;
  const { step, part } = parseOccurrence(occurrence);
  const { effect } = draft.state.path.steps.get(occurrence)?.work as Required<Pick<StepWork, 'effect'>>;
  const spent = usage === undefined ? {} : { usage };
  if (result.kind === 'failed') {
    // Whatever it says of the world outside: it may be asked again under the same key, however often.
    const failure = { ...result.failure, sideEffect: 'none' } as const;
    draft.add({ type: 'StepFailed', version: 1, data: { step: occurrence, attemptId, failure, ...spent } });
    return concluded(draft);
  }
  const errors = part === 'reconcile' ? wrongWith(draft, step, result.output) : [];
  if (errors.length > 0) {
    const message = `a reconciliation answers {found: true | false | null, result?}: ${errors.map(({ pointer, says }) => `${pointer} ${says}`).join('; ')}`;
    failAttempt(draft, { step: occurrence, attemptId, code: 'invalid_output', message, errors: errors as unknown as Json, ...spent });
    return concluded(draft);
  }
  draft.add({
    type: 'StepSucceeded',
    version: 1,
    data: {
      attemptId,
      ...(result.evidence === undefined ? {} : { evidence: result.evidence }),
      ...(result.outputRef === undefined ? { output: result.output } : { outputRef: result.outputRef }),
      step: occurrence,
      ...spent,
    },
  });
  const entry = draft.state.ledger.effects.get(effect.key);
  if (entry === undefined || entry.suffix !== effect.suffix) return concluded(draft); // The key has gone on: this is about an act of before.
  if (part === 'compensate') compensated(draft, effect.key, entry, result.output);
  else if (entry.status === 'unknown') reconciled(draft, effect.key, entry, result.output as unknown as Found);
  return concluded(draft);
}

/** Somebody may have said meanwhile what happened: then there is nothing left to settle. */
function reconciled(draft: Draft, key: string, entry: EffectEntry, { found, result = null }: Found): void {
  const { suffix, step, attemptId } = entry;
  if (found === true) return settleFound(draft, key, { by: 'reconcile', result });
  if (found === false) return findAbsent(draft, key, entry, 'reconciled: it has not happened');
  draft.add({ type: 'EffectUnknown', version: 1, data: { key, suffix, step, attemptId, because: 'reconciled: nobody can tell' } });
}

/** It is undone, and what a branch has held back for that may start. */
function compensated(draft: Draft, key: string, { status, suffix, step, attemptId }: EffectEntry, receipt: Json): void {
  if (status !== 'confirmed') return;
  const told = canon(receipt).length > RECEIPT_CHARS_MAX ? {} : { receipt }; // The reply itself holds it whole.
  draft.add({ type: 'EffectCompensated', version: 1, data: { key, suffix, step, attemptId, ...told } });
  if (draft.state.end === null) advance(draft, [], [step]);
}

function wrongWith({ plan }: Draft, step: string, output: Json): FieldError[] {
  const { found, result = null } = typeof output === 'object' && output !== null ? (output as unknown as Partial<Found>) : {};
  if (found !== true && found !== false && found !== null)
    return [{ pointer: '/found', rule: 'enum', says: 'must be true, false or null' }];
  if (!found) return [];
  if (canon(result).length > RECEIPT_CHARS_MAX)
    return [{ pointer: '/result', rule: 'maxLength', says: `must have at most ${RECEIPT_CHARS_MAX} characters` }];
  return (plan.step(step)?.validateOutput(result) ?? []).map((error) => ({ ...error, pointer: `/result${error.pointer}` }));
}
