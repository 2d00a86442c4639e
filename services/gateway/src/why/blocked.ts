import { parseOccurrence, partOf, type RetryEntry } from '@cairn/domain-run';
import type { Id } from '@cairn/kernel';
import { command, decisionOf, newest, said, since, type Reason, type WhyFacts } from './facts.js';
import { saidAfterwards } from './late.js';
import { verdictText } from './verdict.js';

/** A failure that nothing follows by itself: why not, and what a person can do. */
export function blocked(facts: WhyFacts, attemptId: Id, entry: RetryEntry): Reason {
  if (entry.unknown !== true) return awaitingDecision(facts, attemptId, entry);
  const key = facts.state.path.steps.get(entry.step)?.work?.effect?.key ?? keyOf(facts, attemptId);
  const effect = facts.state.ledger.effects.get(key);
  // Who finds out is named, or a person looks first.
  const verb = effect?.guarantee === 'reconcile' ? 'effect reconcile' : 'effect show';
  const about = { kind: 'effect_unknown', next: command(facts, verb, key), step: entry.step, attemptId } as const;
  // A target that de-duplicates may be asked again: there something else ended the tries, and the doubt comes on top.
  return effect?.guarantee === 'idempotent'
    ? { ...about, says: exhaustedInDoubt(facts, attemptId, entry, key), ...queueAsked(facts, attemptId) }
    : { ...about, says: neverAgain(facts, attemptId, entry, key) };
}

function awaitingDecision(facts: WhyFacts, attemptId: Id, entry: RetryEntry): Reason {
  return {
    kind: 'awaiting_decision',
    says: `${whyNotAgain(facts, attemptId, entry)}: the run can be cancelled.`,
    next: command(facts, 'run cancel'),
    step: entry.step,
    attemptId,
    ...queueAsked(facts, attemptId),
  };
}

const exhaustedInDoubt = (facts: WhyFacts, attemptId: Id, entry: RetryEntry, key: string): string =>
  `${whyNotAgain(facts, attemptId, entry)}: the run can be cancelled; whether effect ${said(key)} happened is unknown, too` +
  `${afterwards(facts, key)}: look for that key at ${targetOf(facts, entry)} before anything else.`;

const neverAgain = (facts: WhyFacts, attemptId: Id, entry: RetryEntry, key: string): string =>
  `Step ${entry.step} is blocked for ${blockedFor(facts, attemptId, entry)} because nobody knows whether effect ${said(key)} happened ` +
  `(${said(entry.message)}), so it is not called again${afterwards(facts, key)}: ${howToFindOut(facts, key, entry)}; or the run can be cancelled.`;

/** Who can say what happened: the queue that the step names, once more, or a person who has looked. */
function howToFindOut(facts: WhyFacts, key: string, entry: RetryEntry): string {
  const { step = entry.step } = facts.state.ledger.effects.get(key) ?? {};
  const asked = facts.state.path.steps.get(partOf(step, 'reconcile'));
  const look = `look for that key at ${targetOf(facts, entry)}, and say what you found with effect reconcile --found or --not-found and a --reason`;
  if (asked === undefined) return look;
  return `it was asked for ${asked.attempts === 1 ? 'once' : `${asked.attempts} times`} and nobody could tell; ask again with effect reconcile, or ${look}`;
}

/** What happened, how it was judged, which rule ended it, who was asked. */
function whyNotAgain(facts: WhyFacts, attemptId: Id, entry: RetryEntry): string {
  const { step, n, message } = entry;
  const bucket = entry.bucket ?? 'nothing';
  const { queue } = queueAsked(facts, attemptId);
  const verdict = verdictText(decisionOf(facts, attemptId)?.data.justification.rule ?? '?', bucket);
  return (
    `Step ${step} is blocked for ${blockedFor(facts, attemptId, entry)} because attempt ${n} failed with ${said(message)}, judged ${bucket}; ` +
    `${verdict}; ${queue === undefined ? 'nobody is asked' : `queue ${queue} was asked`}; no review asks about it`
  );
}

function afterwards(facts: WhyFacts, key: string): string {
  const late = saidAfterwards(facts, key);
  return late === undefined ? '' : `; ${late}`;
}

const targetOf = (facts: WhyFacts, { step }: RetryEntry): string => {
  const queue = facts.state.path.steps.get(parseOccurrence(step).step)?.work?.queue;
  return queue === undefined ? 'its target' : `the target of queue ${queue}`;
};

function queueAsked(facts: WhyFacts, attemptId: Id): { readonly queue?: string } {
  const queue = decisionOf(facts, attemptId)?.data.queue;
  return queue === undefined ? {} : { queue };
}

const blockedFor = (facts: WhyFacts, attemptId: Id, { failedAt }: RetryEntry): string =>
  since(facts, decisionOf(facts, attemptId)?.at ?? failedAt);
const keyOf = (facts: WhyFacts, attemptId: Id): string =>
  newest(facts, 'EffectIntended', ({ data }) => data.attemptId === attemptId)?.data.key ?? '';
