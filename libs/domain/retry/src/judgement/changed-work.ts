import { applyPatch, type JsonPatchOp } from '@cairn/domain-definition';
import { canon, isName, type Json, type JsonObject } from '@cairn/kernel';
import { reasonText } from './reason-text.js';

/** What an attempt is given. */
export interface Work {
  readonly input: Json;
  readonly params: Json;
  readonly queue: string;
}

export type ChangedWork =
  | { readonly kind: 'changed' }
  /** The attempt that failed was given what the patch makes: the rule has nothing more to change. */
  | { readonly kind: 'same' }
  /** In words, without a `;`. */
  | { readonly kind: 'impossible'; readonly says: string };

/**
 * What a rule's `modify` makes of the work of the attempt that failed (C-MODIFIED). The queue may only become one that the step declares,
 * its own or an alternative's: no other has handlers of its work.
 */
export function changeWork({ input, params, queue }: Work, modify: readonly JsonPatchOp[], queues: readonly string[]): ChangedWork {
  const before: JsonObject = { input, params, queue };
  const patched = applyPatch(before, modify);
  if (!patched.ok) return impossible(`modify[${patched.index}]: ${patched.says}`);
  const after = patched.value as JsonObject;
  if (canon(after) === canon(before)) return { kind: 'same' };
  if (after['queue'] === queue || (isName(after['queue']) && queues.includes(after['queue']))) return { kind: 'changed' };
  return impossible(`the step declares no queue ${JSON.stringify(after['queue'])}`);
}

const impossible = (says: string): ChangedWork => ({ kind: 'impossible', says: reasonText(says) });
