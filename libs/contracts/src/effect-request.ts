import { isExternalId, type Json } from '@cairn/kernel';
import { z } from 'zod';
import { reason } from './reason.js';

/** `POST runs/{id}/effects/{key}:reconcile`. Nothing: whoever the definition names is asked. With `found` a person says it himself. */
export interface ReconcileEffectRequest {
  readonly found?: boolean;
  /** What the target gave: with `found: true`, the output of the step. */
  readonly result?: Json;
  /** How it is known. Needed with `found`. */
  readonly reason?: string;
}

/** `POST runs/{id}/effects/{key}:compensate`. */
export interface CompensateEffectRequest {
  readonly reason: string;
}

/** As the definition gives it, without a suffix. */
const key = z.custom<string>(isExternalId, { error: 'must be the key of an effect', params: { rule: 'invalid_text' } });
const found = { found: z.boolean().optional(), result: z.json().optional(), reason: reason.optional() };

interface Said {
  readonly found?: boolean | undefined;
  readonly result?: unknown;
  readonly reason?: string | undefined;
}

/** Who says what happened says how he knows; and only what has happened has a result. */
function isWhole(said: Said, context: z.RefinementCtx): void {
  const wrong = (path: string, rule: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [path], message, params: { rule } });
  if (said.found !== undefined && said.reason === undefined)
    wrong('reason', 'required', 'say how you know: it stands in the history for good');
  if (said.found === undefined && said.reason !== undefined) wrong('found', 'required', 'say what happened, true or false');
  if (said.result !== undefined && said.found !== true) wrong('result', 'not_allowed', 'only what has happened, found: true, has a result');
}

export const reconcileEffectSchema = z.strictObject(found).superRefine(isWhole) as unknown as z.ZodType<ReconcileEffectRequest>;
export const compensateEffectSchema: z.ZodType<CompensateEffectRequest> = z.strictObject({ reason });

/** The data of `cairn.effect.reconcile.v1` and `cairn.effect.compensate.v1`: the same, with the key. */
export const effectControlSchemas = {
  'effect.reconcile': z.strictObject({ key, ...found }).superRefine(isWhole) as unknown as z.ZodType<
    ReconcileEffectRequest & { readonly key: string }
  >,
  'effect.compensate': z.strictObject({ key, reason }) as z.ZodType<CompensateEffectRequest & { readonly key: string }>,
} as const;
