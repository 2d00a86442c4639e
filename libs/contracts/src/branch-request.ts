import { isExternalId, type Json } from '@cairn/kernel';
import { z } from 'zod';
import { reason } from './reason.js';

/** What a branch may be opened for. */
export const branchCauses = ['retry_modified', 'fallback', 'reduced_scope', 'override', 'correction', 'what_if'] as const;

/** Where a branch shall grow. */
export interface BranchFrom {
  readonly branch: string;
  /** A checkpoint's name, a revision, a step (just before it began), or `failure` (the last checkpoint before the last failure). */
  readonly at: string | number;
}

export type BranchChange =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** `POST runs/{id}/branches` and `branches:plan`, and the data of `cairn.branch.open.v1` (`capabilities.md` §6). */
export interface OpenBranchRequest {
  readonly from: BranchFrom;
  readonly cause: (typeof branchCauses)[number];
  readonly reason: string;
  /** Events that speak for it, as `main@12`. */
  readonly evidence?: readonly string[];
  /** JSON Patch over the run: exactly what is different from the fork on. */
  readonly changes?: readonly BranchChange[];
  /** What came after the fork: by the names that the plan lists. */
  readonly received?: Readonly<Record<string, 'carry' | 'drop' | 're_ask'>>;
  /** Effects that are left behind, by key. */
  readonly effects?: Readonly<Record<string, 'reuse' | 'compensate' | 'repeat' | 'ask'>>;
  /** Why an effect that has happened shall happen once more, by key: what is repeated has a reason of its own. */
  readonly effectReasons?: Readonly<Record<string, string>>;
  readonly lesson?: 'told' | 'untold';
  readonly shadow?: boolean;
  /** `main@41`: the head that the request was made for. */
  readonly expectHead?: string;
}

/** What opened. */
export interface BranchOpenedView {
  readonly run: string;
  readonly branch: string;
  /** Of the run's heads, counted up with each; a shadow's is the head's beside which it runs. */
  readonly epoch: number;
  readonly receiptId: string;
}

/** Entries of one list of a request at most, as of a JSON Patch. */
const LIST_MAX = 100;
const PLACE = /^(main|b[1-9][0-9]{0,3})@(0|[1-9][0-9]{0,7})$/;

const place = z.string().regex(PLACE, { error: 'must be a place such as main@12' });
const path = z
  .string()
  .max(1_024)
  .regex(/^(\/([^/~]|~[01])*)+$/, { error: 'must be a JSON pointer below the run' });
const named = z.custom<string>(isExternalId, { error: 'must be plain text', params: { rule: 'invalid_text' } });

export const openBranchSchema = z.strictObject({
  from: z.strictObject({
    branch: z.string().regex(/^(main|b[1-9][0-9]{0,3})$/, { error: 'must be a branch such as main or b2' }),
    at: z.union([z.int().min(0), z.string().min(1).max(256)]),
  }),
  cause: z.enum(branchCauses),
  reason,
  evidence: z.array(place).max(LIST_MAX).optional(),
  changes: z
    .array(
      z.discriminatedUnion('op', [
        z.strictObject({ op: z.enum(['add', 'replace', 'test']), path, value: z.json() }),
        z.strictObject({ op: z.literal('remove'), path }),
      ]),
    )
    .max(LIST_MAX)
    .optional(),
  received: z.record(named, z.enum(['carry', 'drop', 're_ask'])).optional(),
  effects: z.record(named, z.enum(['reuse', 'compensate', 'repeat', 'ask'])).optional(),
  effectReasons: z.record(named, reason).optional(),
  lesson: z.enum(['told', 'untold']).optional(),
  shadow: z.boolean().optional(),
  expectHead: place.optional(),
}) as unknown as z.ZodType<OpenBranchRequest>;

/** Body of `POST runs/{id}/branches/{b}:abandon`. */
export const abandonBranchSchema = z.strictObject({ reason });

/** Its answer. */
export interface BranchAbandonedView {
  readonly run: string;
  readonly branch: string;
  readonly outcome: 'abandoned';
}
