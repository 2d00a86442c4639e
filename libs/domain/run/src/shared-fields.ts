import type { Id, Instant, Json } from '@cairn/kernel';

/** A name of a step as it runs: the step's id, or `id#n` for the n-th turn of a loop. */
export type Occurrence = string;
export type AttemptId = Id;
export type WaitId = Id;

/** Something too large for an event: its bytes lie in the artifact store under their digest, durable before the event is. */
export interface ArtifactRef {
  /** `sha256:<hex>` of the canonical JSON. */
  readonly artifact: string;
  readonly bytes: number;
  readonly mediaType: string;
}

/** A document that a run is bound to: event `revision` of its stream hashes to `hash`. */
export interface PinnedDocument {
  readonly name: string;
  readonly version: string | number;
  readonly hash: string;
  readonly revision: number;
}

/** What some work cost, as its handler reports it. */
export interface Usage {
  readonly usd?: number;
  readonly tokensIn?: number;
  readonly tokensOut?: number;
  readonly model?: string;
}

export type SideEffect = 'none' | 'applied' | 'unknown';

/** How an attempt went wrong. `bucket` is the handler's hint; the judged one stands in `RetryDecided`. */
export interface Failure {
  readonly by: 'handler' | 'lease' | 'timeout' | 'decider';
  readonly bucket?: string;
  readonly code?: string;
  /** At most 2 KiB; longer text is cut and marked. */
  readonly message: string;
  /** When the provider said that another try makes sense. */
  readonly retryAfter?: Instant;
  readonly sideEffect: SideEffect;
  readonly evidence?: string;
  readonly details?: { readonly [key: string]: Json };
}

/** Larger values are kept out of events, states and snapshots: an artifact holds them (`architecture.md` §4.1). */
export const INLINE_BYTES_MAX = 4_096;
