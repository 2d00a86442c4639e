import { isOpenReview, partOf, type RetryEntry } from '@cairn/domain-run';
import { epochMsOf, spanText, type Id } from '@cairn/kernel';
import { blocked } from './blocked.js';
import { command, decisionOf, said, since, until, type Reason, type WhyFacts } from './facts.js';

/** Judging takes milliseconds: after this long something is not running. */
const SOON_MS = 5_000;

/** Failed attempts that are owed something: a decision, the next try, a person. */
export function failures(facts: WhyFacts): Reason[] {
  return [...facts.state.path.retries.entries()].flatMap(([attemptId, entry]) =>
    entry.settled || isAsked(facts, attemptId) ? [] : [reasonOf(facts, attemptId, entry)],
  );
}

/** People have been asked what becomes of it: their review says the rest. */
const isAsked = ({ state }: WhyFacts, attemptId: Id): boolean =>
  [...state.path.reviews.values()].some((review) => review.attemptId === attemptId && isOpenReview(review));

function reasonOf(facts: WhyFacts, attemptId: Id, entry: RetryEntry): Reason {
  switch (entry.decision) {
    case null:
      return undecided(facts, attemptId, entry);
    case 'retry':
      return due(facts, attemptId, entry);
    case 'retry_modified':
    case 'fallback':
    case 'reduce_scope':
      return entry.notBefore === null ? branching(facts, attemptId, entry) : due(facts, attemptId, entry);
    default:
      return blocked(facts, attemptId, entry);
  }
}

function undecided(facts: WhyFacts, attemptId: Id, { step, n, message, failedAt }: RetryEntry): Reason {
  const asking = reconciling(facts, step);
  if (asking !== undefined)
    return { kind: 'undecided', says: `${asking} (${said(message)}).`, next: command(facts, 'effect list'), step, attemptId };
  const late = facts.now - epochMsOf(failedAt) > SOON_MS;
  const says = `retry-policy has not judged the failure of ${step}, attempt ${n} (${said(message)}), of ${since(facts, failedAt)} ago`;
  return {
    kind: 'undecided',
    says: `${says}${late ? ': is it running?' : '.'}`,
    next: command(facts, 'retry explain', step),
    step,
    attemptId,
  };
}

/** Nobody knows what the attempt did, and somebody is asked: first that, then whether it is tried again. */
function reconciling({ state: { path, ledger } }: WhyFacts, step: string): string | undefined {
  const key = path.steps.get(step)?.work?.effect?.key;
  const part = partOf(step, 'reconcile');
  const isAsked = [...path.attempts.values()].some((attempt) => attempt.step === part);
  if (key === undefined || ledger.effects.get(key)?.status !== 'unknown' || !isAsked) return undefined;
  const queue = path.steps.get(part)?.work?.queue ?? '?';
  return `Nobody knows whether effect ${said(key)} of step ${step} happened; queue ${queue} is asked before anything is tried again`;
}

function due(facts: WhyFacts, attemptId: Id, { step, n, bucket, message, notBefore }: RetryEntry): Reason {
  const rule = decisionOf(facts, attemptId)?.data.justification;
  const because = `because ${said(message)} was judged ${bucket ?? 'nothing'} and rule ${rule?.rule ?? '?'} expects ${rule?.expectedChange ?? 'nothing new'}`;
  const about = { kind: 'retry_due', next: command(facts, 'retry explain', step), step, attemptId } as const;
  const next = `Attempt ${n + 1} of step ${step}`;
  if (notBefore === null) return { ...about, says: `${next} is due now, ${because}.` };
  const overdueMs = facts.now - epochMsOf(notBefore);
  const at = { at: notBefore };
  if (facts.state.path.paused) return { ...about, ...at, says: `${next} starts when the run is unpaused, ${because}.` };
  if (overdueMs > SOON_MS)
    return { ...about, ...at, says: `${next} was due ${spanText(overdueMs)} ago and has not started: is scheduling running?` };
  return { ...about, ...at, says: `${next} is due at ${until(facts, notBefore)}, ${because}.` };
}

/** Decided, and the branch that was announced has not gone on yet. */
function branching(facts: WhyFacts, attemptId: Id, { step, n, bucket, message, decision }: RetryEntry): Reason {
  const { branch, superseded } = facts.state;
  const where = superseded === null ? `branch ${branch} is open` : `branch ${superseded.successor} is announced and not opened yet`;
  return {
    kind: 'retry_due',
    says: `Step ${step} is to go on by ${decision}, because attempt ${n} failed with ${said(message)}, judged ${bucket ?? 'nothing'}: ${where}, execution is about to go on there.`,
    next: command(facts, 'branch tree'),
    step,
    attemptId,
  };
}
