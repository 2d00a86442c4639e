import { leftPath } from './lesson.js';
import { isBlocking } from '../recovery/evolve.js';
import type { Counts, Ledger, ReceivedEvent, RunState } from '../state.js';
import { NOTHING_SPENT } from '../steps/evolve.js';

/**
 * Events from outside that waits of the head have taken and the parent's had not, in the order of steps, then of arrival; and those that the
 * head was given when it was opened and has not come to yet: they are no less received for that (U-4).
 */
export function receivedSince(parent: RunState, head: RunState): readonly ReceivedEvent[] {
  const received: ReceivedEvent[] = [];
  for (const [waitId, { step, got }] of [...head.path.waits.entries()].sort(([, a], [, b]) => (a.step < b.step ? -1 : 1))) {
    const before = new Set(parent.path.waits.get(waitId)?.got.map(({ eventId }) => eventId));
    for (const one of got) if (one.event !== undefined && !before.has(one.eventId)) received.push({ ...one, step });
  }
  const known = new Set(received.map(({ eventId }) => eventId));
  const unused = [...head.path.carried.values()].filter(({ eventId }) => !known.has(eventId) && !parent.path.carried.has(eventId));
  return [...received, ...unused.sort((a, b) => (a.eventId < b.eventId ? -1 : 1))];
}

/**
 * What a branch is before its first event: the path of its parent at the fork, the ledger of the head that it follows, which never rewinds
 * (`architecture.md` §3.1). Attempts that only the predecessor knew are over: what still comes for them is late.
 */
export function beginningOf(branch: string, parent: RunState, predecessor: RunState): RunState {
  let { closed } = predecessor.path;
  for (const [attemptId, entry] of parent.path.closed.entries()) if (!closed.has(attemptId)) closed = closed.set(attemptId, entry);
  for (const [attemptId, { step }] of predecessor.path.attempts.entries())
    if (!parent.path.attempts.has(attemptId)) closed = closed.set(attemptId, { step, replyId: null });
  // What is open in both may have been granted since: who has it, has it (I-17).
  let { attempts } = parent.path;
  for (const [attemptId, entry] of predecessor.path.attempts.entries())
    if (attempts.has(attemptId)) attempts = attempts.set(attemptId, entry);
  const isShadow = predecessor.ledger.branches.get(branch)?.shadow === true;
  // Paused is the run, not a path of it; a shadow is no part of what the run does.
  const paused = !isShadow && predecessor.path.paused;
  const ledger = withSpendOf(parent, predecessor.ledger, isShadow);
  return {
    ...parent,
    branch,
    revision: -1,
    at: predecessor.at,
    path: {
      ...parent.path,
      attempts,
      closed,
      paused,
      deferred: paused ? parent.path.deferred : [],
      counts: parent.end === null ? parent.path.counts : countsOwed(parent),
    },
    ledger: { ...ledger, epoch: ledger.branches.get(branch)?.epoch ?? ledger.epoch },
    end: null,
    superseded: null,
    received: receivedSince(parent, predecessor),
    left: leftPath(parent, predecessor),
    opened: null,
    shadow: isShadow ? { steps: predecessor.path.steps, spend: predecessor.ledger.spend, stubbed: parent.shadow?.stubbed ?? null } : null,
    digested: null,
  };
}

/** An end owes nothing any more, and counts so; where the run goes on, what was owed before it is looked at again. */
function countsOwed({ path }: RunState): Counts {
  const owed = [...path.retries.values()].filter(({ settled }) => !settled);
  const blocked = owed.filter(({ decision }) => isBlocking(decision));
  const expired = [...path.reviews.values()].filter(({ blocks }) => blocks === true);
  return {
    ...path.counts,
    retriesOwed: owed.length - blocked.length,
    blocked: blocked.length + expired.length,
    unknown: blocked.filter(({ unknown }) => unknown === true).length,
  };
}

/**
 * What a shadow spent is the run's as soon as a branch grows from it (`architecture.md` §3.1): once, by the first that acts. A shadow of a
 * shadow counts it for itself alone.
 */
function withSpendOf(parent: RunState, ledger: Ledger, isShadow: boolean): Ledger {
  const entry = ledger.branches.get(parent.branch);
  if (parent.shadow === null || entry === undefined || entry.counted === true) return ledger;
  let { spend } = ledger;
  for (const [step, { attempts, usd, tokensIn, tokensOut }] of parent.ledger.spend.entries()) {
    const before = parent.shadow.spend.get(step) ?? NOTHING_SPENT;
    const so = spend.get(step) ?? NOTHING_SPENT;
    spend = spend.set(step, {
      attempts: so.attempts + (attempts - before.attempts),
      usd: so.usd + (usd - before.usd),
      tokensIn: so.tokensIn + (tokensIn - before.tokensIn),
      tokensOut: so.tokensOut + (tokensOut - before.tokensOut),
    });
  }
  const branches = isShadow ? ledger.branches : ledger.branches.set(parent.branch, { ...entry, counted: true });
  return { ...ledger, spend, branches };
}
