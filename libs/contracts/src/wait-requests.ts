import { isId, type Id, type Instant, type Json } from '@cairn/kernel';
import { z } from 'zod';
import { reason } from './reason.js';

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
  /** Index of the trigger that is taken to have come. Default: the first that has not. */
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
  /** What begins in the append that satisfies it. Of an event in thought: empty where it does not match, or more must come. */
  readonly next: readonly { readonly step: string; readonly does: string }[];
  readonly ends?: string;
  /** What the wait would give if it were fired by hand with that; null where the named trigger has come already. */
  readonly fires: Json;
  /** Triggers, by index, that must come besides. */
  readonly alsoNeeded: readonly number[];
}

const due = z
  .union([z.string().min(1).max(64), z.int().min(1), z.null()], {
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
