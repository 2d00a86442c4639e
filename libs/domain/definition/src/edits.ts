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
  const retyped = edits.flatMap((edit, i) => {
    if (edit.op === 'remove') return [];
    const before = readPointer(value, edit.path);
    return before === undefined || before === null || kindOf(before) === kindOf(edit.value)
      ? []
      : [{ pointer: at('', i, 'value'), rule: 'type', says: `must be of type ${kindOf(before)}, as it was` }];
  });
  return retyped.length > 0 ? { ok: false, errors: retyped } : { ok: true, value: patched.value };
}

const refused = (error: FieldError): Edited => ({ ok: false, errors: [error] });
const kindOf = (value: Json): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
