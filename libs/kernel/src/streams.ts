import type { Id } from './ids.js';
import type { StreamName } from './envelope.js';

/** Names of streams (`history.md` §1). Never made of user text: names are checked tokens, keys are hashed. */
export const runStream = (runId: Id, branch: string): StreamName => `run-${runId}+${branch}`;
export const receiptStream = (receiptId: Id): StreamName => `receipt-${receiptId}`;
export const inboxStream = (hash: Id): StreamName => `inbox-${hash}`;
export const workflowStream = (ns: string, name: string): StreamName => `workflow-${ns}+${name}`;
export const policyStream = (ns: string, name: string): StreamName => `policy-${ns}+${name}`;
export const reviewStream = (reviewId: Id): StreamName => `review-${reviewId}`;
/** What was imported of a run of another store: never among its `run-…` streams, so that nothing acts on it. */
export const bundleStream = (runId: Id): StreamName => `bundle-${runId}`;

/** Run and branch of a `run-…` stream's name, or `undefined` for another stream. */
export function parseRunStream(stream: StreamName): { runId: Id; branch: string } | undefined {
  if (!stream.startsWith('run-')) return undefined;
  const plus = stream.indexOf('+');
  return plus < 0 ? undefined : { runId: stream.slice(4, plus), branch: stream.slice(plus + 1) };
}
