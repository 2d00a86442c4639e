import { isBucket, type Bucket } from '@cairn/domain-definition';

/** What a failed attempt left behind, as `StepFailed` holds it. */
export interface JudgedFailure {
  readonly by: 'handler' | 'lease' | 'timeout' | 'decider';
  /** The handler's hint. */
  readonly bucket?: string;
  readonly code?: string;
  readonly retryAfter?: string;
  readonly evidence?: string;
}

/** The kind of a failure. Only a handler's own word, or what we saw ourselves, counts; what nobody recognised is `unclassified`. */
export function classify(failure: JudgedFailure): Bucket {
  switch (failure.by) {
    case 'lease':
      return 'handler_lost';
    case 'timeout':
      return 'timeout';
    case 'handler':
    case 'decider':
      if (isBucket(failure.bucket)) return failure.bucket;
      return isBucket(failure.code) ? failure.code : 'unclassified';
  }
}
