import { applyPatch, at, type JsonPatchOp, type Problems } from '@cairn/domain-definition';
import { isName, type JsonObject } from '@cairn/kernel';
import type { BucketRule } from './document.js';

/** The members of an attempt's work: each is always there, so each can be changed and none taken away. */
const MEMBERS: ReadonlySet<string> = new Set(['/input', '/params', '/queue']);

/** A changed retry says what it changes, and only such a one does (C-MODIFIED). What is there to be changed is known when it is judged. */
export function lintModify(rule: BucketRule, pointer: string, problems: Problems): void {
  const modify = (rule as { readonly modify?: unknown }).modify;
  const where = at(pointer, 'modify');
  if (rule.retry !== 'modified') {
    if (modify !== undefined) problems.error(where, 'not_retried', 'modify has a meaning only where retry is modified');
    return;
  }
  if (!Array.isArray(modify)) {
    if (!problems.refusedAt(where)) problems.error(where, 'required', 'modify is missing: what the next attempt is given instead');
    return;
  }
  for (const [i, change] of (modify as readonly (JsonObject | null)[]).entries())
    if (change !== null && !problems.refusedAt(at(where, i))) lintChange(change, at(where, i), problems);
  if (!problems.refusedAt(where) && (modify as readonly JsonObject[]).every(({ op }) => op === 'test'))
    problems.error(where, 'patch', 'nothing is changed: a test only looks');
}

function lintChange(change: JsonObject, pointer: string, problems: Problems): void {
  const { op, path, value } = change;
  const tried = applyPatch(null, [change as unknown as JsonPatchOp]); // Of nothing: only whether such a change can be at all.
  if (!tried.ok && tried.rule === 'forbidden') problems.error(at(pointer, 'path'), 'patch', tried.says);
  if (op !== 'remove' && value === undefined) problems.error(at(pointer, 'value'), 'required', `value is missing: ${String(op)} needs one`);
  if (op === 'remove' && value !== undefined) problems.error(at(pointer, 'value'), 'patch', 'remove has no value');
  if (op === 'remove' && MEMBERS.has(String(path)))
    problems.error(at(pointer, 'path'), 'patch', `${String(path)} cannot be taken away, only be replaced`);
  if (!String(path).startsWith('/queue')) return;
  if (path !== '/queue') problems.error(at(pointer, 'path'), 'patch', 'a queue is a name, and has nothing inside');
  else if (op !== 'remove' && value !== undefined && !isName(value))
    problems.error(at(pointer, 'value'), 'patch', 'a queue is a name: a-z, then a-z 0-9 -, at most 63 characters');
}
