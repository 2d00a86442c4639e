import type { Id, JsonObject } from '@cairn/kernel';
import { z } from 'zod';
import type { StoredEventView } from '../http.js';

/** A run bundle (U-19): one run with all that its verification needs, as lines of canonical JSON that are chained by hashes. */
export const BUNDLE_MEDIA_TYPE = 'application/x-ndjson';
export const BUNDLE_FORMAT = 1;
/**
 * Bytes of a bundle that is imported at most: it is held in memory while it is checked, and stored as one artifact. Verifying a file has
 * no such bound.
 */
export const BUNDLE_BYTES_MAX = 64 * 1_048_576;
/** Bytes of one line at most: an artifact of `ARTIFACT_BYTES_MAX` in base64, and what stands around it. */
export const BUNDLE_LINE_BYTES_MAX = 90 * 1_048_576;

/** Kinds of lines that hold a stored event, as a history shows it. */
export const bundleEventKinds = ['definition', 'policy', 'receipt', 'review', 'event'] as const;
export type BundleEventKind = (typeof bundleEventKinds)[number];

/** What a line says. The first is the head, the last the end, and what is between them may stand in any order but that of its stream. */
export type BundleContent =
  | { readonly kind: 'head'; readonly bundle: typeof BUNDLE_FORMAT; readonly ns: string; readonly run: Id; readonly workflow: string }
  | { readonly kind: BundleEventKind; readonly event: StoredEventView }
  | { readonly kind: 'artifact'; readonly artifact: string; readonly bytes: number; readonly base64: string }
  | { readonly kind: 'end'; readonly lines: number };

/** Where a line stands: its number from 1, the hash of the line before it (empty for the first), and its own. */
export interface BundlePlace {
  readonly n: number;
  readonly prev: string;
  readonly hash: string;
}

const text = z.string();
const count = z.int().min(0);
const hex = z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hex characters' });
// The line was parsed: whatever is an object holds JSON. Copied by a schema it might lose a member (`__proto__`).
const object = z.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
  error: 'must be an object',
});

const metadata = z.looseObject({
  eventId: text,
  schemaVersion: count,
  ns: text,
  runId: text.optional(),
  branch: text.optional(),
  revision: count,
  at: text,
  actor: text,
  causationId: text,
  correlationId: text,
  appendFirst: count,
  appendCount: z.int().min(1),
  prevHash: text,
  hash: hex,
  traceparent: text.optional(),
});
const event = z.looseObject({ stream: text, revision: count, type: text, version: z.int().min(1), data: object, metadata });
const place = { n: z.int().min(1), prev: z.union([z.literal(''), hex]), hash: hex } as const;

export const bundleLineSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...place, kind: z.literal('head'), bundle: z.literal(BUNDLE_FORMAT), ns: text, run: text, workflow: text }),
  ...bundleEventKinds.map((kind) => z.strictObject({ ...place, kind: z.literal(kind), event })),
  z.strictObject({ ...place, kind: z.literal('artifact'), artifact: z.templateLiteral(['sha256:', hex]), bytes: count, base64: text }),
  z.strictObject({ ...place, kind: z.literal('end'), lines: z.int().min(2) }),
]) as unknown as z.ZodType<BundleContent & BundlePlace>;

/** A message of `subjects.command(ns, 'scheduling', 'import-bundle')`: a bundle that the gateway has checked and made durable. */
export interface ImportBundleMessage {
  readonly actor: string;
  readonly run: Id;
  readonly bundle: { readonly artifact: string; readonly bytes: number; readonly mediaType: string };
  readonly lines: number;
  readonly hash: string;
  /** What lists show of the run. */
  readonly summary: ImportedRunSummary;
  /** Artifact of the bundle that this one goes on from. */
  readonly replaces?: string;
}

/** A run as its bundle leaves it. */
export interface ImportedRunSummary {
  readonly workflow: string;
  readonly version: string;
  readonly key?: string;
  readonly goal: string | null;
  readonly attributes: JsonObject;
  readonly state: string;
  readonly sub: string | null;
  readonly head: string;
  readonly revision: number;
  readonly since: string;
  readonly startedAt: string;
  readonly endedAt?: string;
}
