/** What one message goes through in a service (`reliability.md` §3.3). `relay-…` belong to who tells the bus of what is stored. */
const taking = ['received', 'folded', 'decided', 'before-append', 'after-append', 'before-ack', 'after-ack'] as const;
const asking = ['before-publish', 'after-publish'] as const;
const relaying = ['relay-read', 'relay-published', 'relay-bookmarked'] as const;

/**
 * All places where a process of ours can be made to die, by service. The kill sweep goes through them one by one, and fails for one
 * that is never reached. Retry-policy and scheduling tail the history and relay nothing; the gateway appends nothing.
 */
export const crashPoints = {
  execution: [...taking, ...asking, ...relaying],
  scheduling: [...taking, ...asking],
  'retry-policy': [...taking, ...asking],
  gateway: ['before-publish', 'published', 'receipt-seen'],
} as const;

export type Hop = (typeof taking)[number] | (typeof asking)[number] | (typeof relaying)[number] | 'published' | 'receipt-seen';
