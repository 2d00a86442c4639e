import type { DomainEvent } from '@cairn/kernel';
import type { RetryPolicyDocument } from './document.js';

/** A version of a retry policy may be used. Event `revision` of `policy-<ns>+<name>` is what runs and decisions pin. */
export type PolicyApplied = DomainEvent<
  'PolicyApplied',
  1,
  {
    readonly ns: string;
    readonly name: string;
    /** Revision + 1. */
    readonly version: number;
    /** `sha256:<hex>` of the canonical bytes. */
    readonly hash: string;
    readonly policy: RetryPolicyDocument;
  }
>;

export type PolicyEvent = PolicyApplied;
