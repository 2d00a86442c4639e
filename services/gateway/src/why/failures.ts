import type { RetryEntry } from '@cairn/domain-run';
import { epochMsOf, spanText, type Id } from '@cairn/kernel';
import { command, newest, said, since, until, type Reason, type WhyFacts } from './facts.js';

/** Judging takes milliseconds: after this long something is not running. */
const SOON_MS = 5_000;

/** Failed attempts that are owed something: a decision, the next try, a person. */
export function failures(facts: WhyFacts): Reason[] {
  return [...facts.state.path.retries.entries()].flatMap(([attemptId, entry]) =>
    entry.settled ? [] : [reasonOf(facts, attemptId, entry)],
  );
}

function reasonOf(facts: WhyFacts, attemptId: Id, entry: RetryEntry): Reason {
  switch (entry.decision) {
    case null:
      return undecided(facts, attemptId, entry);
    case 'retry':
      return due(facts, attemptId, entry);
    default:
      return entry.unknown === true ? unknownEffect(facts, attemptId, entry) : blocked(facts, attemptId, entry);
  }
}

function undecided(facts: WhyFacts, attemptId: Id, { step, n, message, failedAt }: RetryEntry): Reason {
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

function blocked(facts: WhyFacts, attemptId: Id, { step, n, message, bucket, failedAt }: RetryEntry): Reason {
  const decided = decisionOf(facts, attemptId);
  const queue = decided?.data.queue;
  const asked = queue === undefined ? 'nobody is asked by itself' : `queue ${queue} was asked, and reviews do not run in this release`;
  const since_ = since(facts, decided?.at ?? failedAt);
  const rule = decided?.data.justification.rule ?? '?';
  const says =
    `Step ${step} is blocked for ${since_} because attempt ${n} failed with ${said(message)}, judged ${bucket ?? 'nothing'}, ` +
    `and rule ${rule} does not try again; ${asked}: the run can be cancelled.`;
  return {
    kind: 'awaiting_decision',
    says,
    next: command(facts, 'run cancel'),
    step,
    attemptId,
    ...(queue === undefined ? {} : { queue }),
  };
}

function unknownEffect(facts: WhyFacts, attemptId: Id, { step, message, failedAt }: RetryEntry): Reason {
  const work = facts.state.path.steps.get(step)?.work;
  const key = work?.effect?.key ?? keyOf(facts, attemptId);
  const since_ = since(facts, decisionOf(facts, attemptId)?.at ?? failedAt);
  const target = work === undefined ? 'its target' : `the target of queue ${work.queue}`;
  const says =
    `Step ${step} is blocked for ${since_} because nobody knows whether effect ${said(key)} happened (${said(message)}), ` +
    `so it is not called again: look for that key at ${target} before anything else.`;
  return { kind: 'effect_unknown', says, next: command(facts, 'effect show', key), step, attemptId };
}

const decisionOf = (facts: WhyFacts, attemptId: Id) => newest(facts, 'RetryDecided', ({ data }) => data.attemptId === attemptId);
const keyOf = (facts: WhyFacts, attemptId: Id): string =>
  newest(facts, 'EffectIntended', ({ data }) => data.attemptId === attemptId)?.data.key ?? '';
