import type { Id, Instant, Json } from '@cairn/kernel';
import { isId, isPlainText, parseRfc3339 } from '@cairn/kernel';
import { z } from 'zod';
import { REASON_MAX } from './http.js';

/** No wait lasts longer than five years (B-20); from the same rule as definitions. */
const FAR_FUTURE_MS = 5 * 366 * 86_400_000;

/** When a wait is due: `14d`, whole milliseconds from now, or an RFC 3339 time; null: never. */
export type DueText = string | number | null;

/** `POST runs/{id}/waits/{w}:reschedule`, and with `wait` the data of `cairn.wait.reschedule.v1`. At least one of the two times. */
export interface RescheduleWaitRequest {
  readonly deadline?: DueText;
  readonly staleAfter?: DueText;
  readonly reason: string;
}

/** `POST runs/{id}/waits/{w}:fire`: the wait gives this, on an override branch. */
export interface FireWaitRequest {
  /** Index of the trigger that is taken to have come. Default 0. */
  readonly trigger?: number;
  readonly data?: Json;
  readonly reason: string;
  readonly evidence?: readonly string[];
}

/** `POST runs/{id}/waits/{w}:preview`: what would happen if this came. All absent: the first trigger that is missing, without data. */
export interface PreviewWaitRequest {
  readonly trigger?: number;
  readonly data?: Json;
  /** An event in thought: whether it would match, and if not, which clause it fails. */
  readonly event?: { readonly type: string; readonly key?: string; readonly source?: string; readonly data?: Json };
}

/** What wakes a wait, what returns then, and what follows (C-WAKEPREVIEW). */
export interface WaitPreviewView {
  readonly wait: Id;
  readonly run: Id;
  readonly step: string;
  readonly branch: string;
  readonly revision: number;
  readonly deadline: Instant | null;
  /** Each clause of its continuation contract, and whether it holds now. */
  readonly clauses: readonly { readonly id: string; readonly says: string; readonly holds: boolean | null }[];
  readonly triggers: readonly {
    readonly trigger: number;
    readonly wants: string;
    readonly has: boolean;
    readonly senders: readonly string[];
  }[];
  /** The checkpoint that it restores, with the digest that it claimed. */
  readonly restores: { readonly checkpoint: string; readonly stateDigest: string | null };
  /** Digest of the run's state as it returns: `run state` gives the same at this revision. */
  readonly stateDigest: string;
  /** Of an event in thought: what it does. */
  readonly match?: { readonly trigger: number } | { readonly clause: string; readonly expected: Json; readonly got: Json };
  /** What begins once it is satisfied; empty where the event does not match, or more must come. */
  readonly next: readonly { readonly step: string; readonly does: string }[];
  readonly ends?: string;
  /** Triggers, by index, that must come besides. */
  readonly alsoNeeded: readonly number[];
}

const reason = z
  .string()
  .min(1, { abort: true })
  .max(REASON_MAX, { abort: true })
  .refine((text) => isPlainText(text, REASON_MAX), { error: 'must be text without controls', params: { rule: 'invalid_text' } });

const due = z
  .union([z.string().min(1).max(64), z.int().min(1).max(FAR_FUTURE_MS), z.null()], {
    error: 'must be a duration such as 14d, an RFC 3339 time, or null for none',
  })
  .optional();

const fields = { deadline: due, staleAfter: due, reason };

export const rescheduleWaitSchema = z.strictObject(fields) as unknown as z.ZodType<RescheduleWaitRequest>;

/** The event's data: it names the wait, too. */
export const rescheduleWaitEventSchema = z.strictObject({
  wait: z.string().refine(isId, { error: 'must be the id of a wait', params: { rule: 'invalid_id' } }),
  ...fields,
}) as unknown as z.ZodType<RescheduleWaitRequest & { readonly wait: Id }>;

const trigger = z.int().min(0).max(63).optional();
const json = z.json() as unknown as z.ZodType<Json>;

export const fireWaitSchema = z.strictObject({
  trigger,
  data: json.optional(),
  reason,
  evidence: z.array(z.string().max(64)).max(32).optional(),
}) as unknown as z.ZodType<FireWaitRequest>;

export const previewWaitSchema = z.strictObject({
  trigger,
  data: json.optional(),
  event: z
    .strictObject({
      type: z.string().min(1).max(200),
      key: z.string().min(1).max(256).optional(),
      source: z.string().min(1).max(1_024).optional(),
      data: json.optional(),
    })
    .optional(),
}) as unknown as z.ZodType<PreviewWaitRequest>;

/** An RFC 3339 time as an instant in milliseconds, at most five years ahead; `undefined`: it is none. */
export function timeOfDue(text: string, now: number): number | undefined {
  const ms = parseRfc3339(text);
  return ms === undefined || ms > now + FAR_FUTURE_MS ? undefined : ms;
}
