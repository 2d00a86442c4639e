import type { Bucket } from '@cairn/domain-definition';
import type { Instant, JsonObject } from '@cairn/kernel';

/** When all labelled failures happened: relative reset times count from here. A Tuesday. */
export const failedAt = '2026-11-24T08:00:00.000Z';

/** A failure as a handler reports it, and what a person who reads it says it is. */
export interface LabelledFailure {
  readonly says: string;
  readonly failure: {
    readonly bucket?: string;
    readonly code?: string;
    readonly message: string;
    readonly retryAfter?: Instant;
    readonly details?: JsonObject;
  };
  readonly bucket: Bucket;
  /** When the provider will take another try, where it says so. */
  readonly retryAfter?: Instant;
}
