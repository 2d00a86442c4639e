import type { FieldError, Json } from '@cairn/kernel';
import { applyPatch, PATCH_OPS_MAX, type JsonPatchOp } from './json-patch.js';
import { at, readPointer } from './pointer.js';

/** A value as a reviewer edited it, or everything that is wrong with the edits; pointers are into the list of edits. */
export type Edited = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly errors: readonly FieldError[] };

/**
 * Applies a reviewer's edits: inside what may be edited, to what is there, and of the type that was there, so that a form never turns a
 * number into a text (`experience.md` §5).
 */
export function applyEdits(value: Json, editable: readonly string[], edits: readonly JsonPatchOp[]): Edited {
  if (edits.length === 0) return refused({ pointer: '', rule: 'empty', says: 'an edit changes something' });
  if (edits.length > PATCH_OPS_MAX) return refused({ pointer: '', rule: 'too_many', says: `at most ${PATCH_OPS_MAX} changes` });
  const outside = edits.flatMap(({ path }, i) =>
    editable.some((pointer) => path === pointer || path.startsWith(`${pointer}/`))
      ? []
      : [{ pointer: at('', i, 'path'), rule: 'not_editable', says: `may be edited: ${editable.join(', ') || 'nothing'}` }],
  );
  if (outside.length > 0) return { ok: false, errors: outside };
  const patched = applyPatch(value, edits);
  if (!patched.ok) return refused({ pointer: at('', patched.index, 'path'), rule: patched.rule, says: patched.says });
  const retyped = editable.flatMap((pointer) => {
    const wrong = retypedIn(pointer, readPointer(value, pointer), readPointer(patched.value, pointer));
    return wrong === undefined ? [] : [{ ...wrong, pointer: placeOf(edits, wrong.pointer) }];
  });
  return retyped.length > 0 ? { ok: false, errors: retyped } : { ok: true, value: patched.value };
}

/** The first place where something of another type stands than before, however many changes it took to get there. What was null had no type. */
function retypedIn(pointer: string, before: Json | undefined, after: Json | undefined): FieldError | undefined {
  if (before === undefined || before === null) return undefined;
  if (after === undefined) return { pointer, rule: 'required', says: `${pointer} must stay: an edit keeps what may be edited` };
  if (kindOf(before) !== kindOf(after)) return { pointer, rule: 'type', says: `must be of type ${kindOf(before)}, as it was` };
  if (!isFields(before) || !isFields(after)) return undefined;
  for (const name of Object.keys(before)) {
    // Inside of it a field may be left out; one that stays is of the type that it had.
    const wrong = Object.hasOwn(after, name) ? retypedIn(at(pointer, name), before[name], after[name]) : undefined;
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** The change that is to blame for what stands at a place: the last that touches it, or what it lies in. */
function placeOf(edits: readonly JsonPatchOp[], pointer: string): string {
  const isAround = (path: string): boolean => pointer === path || pointer.startsWith(`${path}/`);
  const i = edits.findLastIndex(({ path }) => isAround(path));
  return at('', i, edits[i]?.op === 'remove' ? 'path' : 'value');
}

const isFields = (value: Json): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const refused = (error: FieldError): Edited => ({ ok: false, errors: [error] });
const kindOf = (value: Json): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
