import type { FieldError, Json } from '@cairn/kernel';
import type { Validator } from './json-schema.js';
import { pointerParts } from './pointer.js';
import type { Problems } from './problems.js';

/**
 * Checks a document against its schema and gives what of it can be looked at further: a copy without the parts that were refused, so that
 * the graph, the expressions and the lint of the rest are reported at the same time (B-23). A list keeps its length: bad items become null.
 * `undefined` if the document is no object at all.
 */
export function checkShape(document: Json, validator: Validator, problems: Problems): { readonly [field: string]: unknown } | undefined {
  const errors = validator(document);
  for (const { pointer, rule, says } of errors) problems.error(pointer, rule, says);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined;
  return errors.length === 0 ? (document as { [field: string]: unknown }) : salvage(document as { [field: string]: Json }, errors);
}

function salvage(document: { readonly [field: string]: Json }, errors: readonly FieldError[]): { [field: string]: unknown } {
  const copy = structuredClone(document) as { [field: string]: unknown };
  for (const { pointer, rule } of errors) {
    if (rule !== 'required' && pointer !== '') drop(copy, pointer);
  }
  return copy;
}

function drop(root: unknown, pointer: string): void {
  const parts = pointerParts(pointer);
  const last = parts.pop() as string;
  let parent: unknown = root;
  for (const part of parts) {
    if (typeof parent !== 'object' || parent === null) return; // Dropped with an ancestor.
    parent = (parent as { [field: string]: unknown })[part];
  }
  if (Array.isArray(parent)) parent[Number(last)] = null;
  else if (typeof parent === 'object' && parent !== null) delete (parent as { [field: string]: unknown })[last];
}
