import type { Json } from '@cairn/kernel';
import { applyPatch as applyOps } from 'rfc6902';
import { POINTER_PATTERN, pointerParts } from './pointer.js';

/** One change of JSON Patch (RFC 6902). `move` and `copy` are left out: a reader of a history shall see the value in the change itself. */
export type JsonPatchOp =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

export type Patched =
  | { readonly ok: true; readonly value: Json }
  /** `index`: of the change that cannot be made. */
  | { readonly ok: false; readonly index: number; readonly rule: string; readonly says: string };

/** Changes in one patch at most: more is another document, not a change (`reliability.md` §1.1: every limit is named). */
export const PATCH_OPS_MAX = 100;

const POINTER = new RegExp(POINTER_PATTERN);
/** Names that reach behind a value in JavaScript. */
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** What the changes make of a value, all of them or none; the given value stays as it is. */
export function applyPatch(value: Json, ops: readonly JsonPatchOp[]): Patched {
  const [wrong] = ops.flatMap((op, index) => problemOf(op, index) ?? []);
  if (wrong !== undefined) return wrong;
  const holder = { value: JSON.parse(JSON.stringify(value)) as Json };
  // Below a field of ours, so that the whole value can be changed, too.
  const nested = ops.map((op) => ({ ...op, path: `/value${op.path}` }));
  const errors = applyOps(holder, nested as Parameters<typeof applyOps>[1]);
  const index = errors.findIndex((error) => error !== null);
  if (index < 0) return { ok: true, value: holder.value };
  const { op, path } = ops[index] as JsonPatchOp;
  return op === 'test'
    ? { ok: false, index, rule: 'test_failed', says: `${path} is not what the patch expects` }
    : { ok: false, index, rule: 'path_missing', says: `there is nothing at ${path} to ${op}` };
}

function problemOf({ path }: JsonPatchOp, index: number): Extract<Patched, { ok: false }> | undefined {
  if (!POINTER.test(path)) return { ok: false, index, rule: 'pointer', says: 'path must be a JSON pointer' };
  const bad = pointerParts(path).find((part) => FORBIDDEN.has(part));
  return bad === undefined ? undefined : { ok: false, index, rule: 'forbidden', says: `${bad} is no field of a value` };
}
