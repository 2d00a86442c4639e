import { isOpenReview, isPassedUp } from './reviews/evolve.js';
import type { RetryEntry, ReviewEntry, RunState, RunStatus } from './state.js';

/** The state of a run (`capabilities.md` §2.1): the first row that holds. `since` moves only when state or sub-state changes. */
export function withStatus(state: RunState): RunState {
  const [name, sub] = judge(state);
  const before = state.status;
  if (before.since !== null && before.state === name && before.sub === sub) return state;
  return { ...state, status: { state: name, sub, since: state.at } };
}

function judge(state: RunState): [RunStatus['state'], string | null] {
  const { counts } = state.path;
  if (state.end !== null) return ['complete', state.end.outcome];
  if (state.path.paused) return ['blocked', 'paused'];
  if (counts.escalatedReviews > 0) return ['escalated', whysOf(state, (review) => isOpenReview(review) && isPassedUp(review))];
  if (counts.blocked > 0) return ['blocked', counts.unknown > 0 ? 'effect_unknown' : 'awaiting_decision'];
  if (counts.firstAttempts > 0) return ['active', null];
  if (counts.laterAttempts > 0 || counts.retriesOwed > 0) return ['retrying', bucketOf(state)];
  if (counts.openReviews > 0) return ['in_review', whysOf(state, isOpenReview)];
  if (counts.openWaits > 0) return ['waiting', triggerKindsOf(state)];
  return ['active', null];
}

/** Bucket of the failure that is being retried, as judged; null until it is. */
function bucketOf(state: RunState): string | null {
  let latest: RetryEntry | undefined;
  for (const entry of state.path.retries.values()) if (latest === undefined || isLater(entry, latest)) latest = entry;
  return latest?.bucket ?? null;
}

const isLater = (one: RetryEntry, other: RetryEntry): boolean =>
  one.failedAt > other.failedAt ||
  (one.failedAt === other.failedAt &&
    (one.failedBranch === other.failedBranch ? one.failedRevision > other.failedRevision : isLaterBranch(one, other)));

/** `b10` came after `b9`, and `main` before all. */
const isLaterBranch = (one: RetryEntry, other: RetryEntry): boolean => numberOf(one.failedBranch) > numberOf(other.failedBranch);
const numberOf = (branch: string): number => (branch === 'main' ? 1 : Number(branch.slice(1)));

/** Why people were asked, each reason once, in the alphabet's order: `planned`. */
function whysOf(state: RunState, holds: (review: ReviewEntry) => boolean): string {
  return [...new Set([...state.path.reviews.values()].filter(holds).map(({ why }) => why))].sort().join('+');
}

/** Kinds of the triggers of all open waits, each once, in the alphabet's order: `event+timer`. */
function triggerKindsOf(state: RunState): string {
  const kinds = new Set<string>();
  for (const wait of state.path.waits.values()) if (wait.open) for (const trigger of wait.opened.triggers) kinds.add(trigger.kind);
  return [...kinds].sort().join('+');
}
