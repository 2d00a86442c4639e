import type { Break } from './break.js';
import { appendWith, drop, first, last, ofStep, remove, type Draft } from './editing.js';
import { billedHistory, cancelledHistory, doubtedHistory, payingHistory } from './good-effects.js';

const escalated = (): ReturnType<typeof billedHistory> => billedHistory('escalate');

/** Ways to break a history with effects, retries, pauses and cancellations; each fires its invariant alone. */
export const breaksOfEffects: readonly Break[] = [
  {
    invariant: 'I-5',
    by: "a claim under another attempt's name",
    good: payingHistory,
    edit: (d) => (appendWith(d, first(d, 'AttemptTaken')).cause = `${'0'.repeat(26)}:claim`),
  },
  {
    invariant: 'I-5',
    by: 'a lapse that a claim caused',
    good: payingHistory,
    edit: (d) =>
      (appendWith(d, ofStep(d, 'StepFailed', 'mail')).cause = `${String(ofStep(d, 'StepStarted', 'mail').data['attemptId'])}:claim`),
  },
  {
    invariant: 'I-9',
    by: 'an attempt that begins while the run is paused',
    good: payingHistory,
    edit: (d) => swap(d, appendWith(d, ofStep(d, 'StepStarted', 'ask', 2)), appendWith(d, first(d, 'RunPaused'))),
  },
  {
    invariant: 'I-9',
    by: 'a pause that changes nothing',
    good: payingHistory,
    edit: (d) => (first(d, 'RunUnpaused').type = 'RunPaused'),
  },
  {
    invariant: 'I-12',
    by: 'an attempt number that is left out',
    good: payingHistory,
    edit: (d) => (ofStep(d, 'StepStarted', 'ask', 2).data['attempt'] = 3),
  },
  { invariant: 'I-12', by: 'more attempts of a step than the policy allows', good: () => payingHistory({ perStep: 1 }) },
  { invariant: 'I-12', by: 'more attempts in a bucket than the policy allows', good: () => payingHistory({ lost: 1 }) },
  { invariant: 'I-12', by: 'a retry after more failures of the run than the policy allows', good: () => payingHistory({ perRun: 3 }) },
  { invariant: 'I-12', by: 'a retry later than the policy allows', good: () => payingHistory({ elapsed: 3_500 }) },
  {
    invariant: 'I-13',
    by: 'a retry from which nothing new is expected',
    good: payingHistory,
    edit: (d) => ((first(d, 'RetryDecided').data['justification'] as Record<string, unknown>)['expectedChange'] = null),
  },
  {
    invariant: 'I-13',
    by: 'a retry by a rule of another bucket',
    good: payingHistory,
    edit: (d) => ((first(d, 'RetryDecided').data['justification'] as Record<string, unknown>)['rule'] = 'default@1#network'),
  },
  {
    invariant: 'I-13',
    by: 'a retry of what the policy never retries',
    good: payingHistory,
    edit: (d) => (first(d, 'RetryDecided').data['bucket'] = 'billing'),
  },
  {
    invariant: 'I-13',
    by: 'a retry before the time that the provider named',
    good: payingHistory,
    edit: (d) => (ofStep(d, 'RetryDecided', 'ask').data['notBefore'] = '2026-11-23T09:00:05.999Z'),
  },
  {
    invariant: 'I-13',
    by: 'a pause that is shorter than its backoff',
    good: payingHistory,
    edit: (d) => (ofStep(d, 'RetryDecided', 'mail').data['notBefore'] = '2026-11-23T09:00:13.499Z'),
  },
  {
    invariant: 'I-13',
    by: 'a second attempt that nobody decided',
    good: payingHistory,
    edit: (d) => remove(d, appendWith(d, ofStep(d, 'RetryDecided', 'pay'))),
  },
  {
    invariant: 'I-13',
    by: 'a second attempt with another input',
    good: payingHistory,
    edit: (d) => (ofStep(d, 'StepStarted', 'pay', 2).data['input'] = { amount: 2 }),
  },
  {
    invariant: 'I-14',
    by: 'a failure of which nothing came',
    good: payingHistory,
    edit: (d) => remove(d, appendWith(d, last(d, 'RetryDecided'))),
  },
  {
    invariant: 'I-14',
    by: 'a run that is given up, which nobody decided',
    good: () => billedHistory('give_up'),
    edit: (d) => (first(d, 'RetryDecided').data['decision'] = 'block'),
  },
  {
    invariant: 'I-15',
    by: 'an effect that is confirmed twice',
    good: payingHistory,
    edit: (d) => {
      const once = ofStep(d, 'EffectConfirmed', 'pay');
      const { events } = appendWith(d, once);
      events.splice(events.indexOf(once) + 1, 0, { ...once, data: { ...once.data, by: 'person' } });
    },
  },
  {
    invariant: 'I-15',
    by: 'an attempt that goes out without its intent',
    good: payingHistory,
    edit: (d) => drop(d, ofStep(d, 'EffectIntended', 'pay', 2)),
  },
  {
    invariant: 'I-16',
    by: 'a key that changes with the attempt',
    good: payingHistory,
    edit: (d) => (ofStep(d, 'EffectIntended', 'pay', 2).data['key'] = ofStep(d, 'EffectConfirmed', 'pay').data['key'] = 'pay/K/2'),
  },
  {
    invariant: 'I-16',
    by: 'a key with a second meaning',
    good: payingHistory,
    edit: (d) => (ofStep(d, 'EffectIntended', 'pay', 2).data['fingerprint'] = 'another meaning'),
  },
  {
    invariant: 'I-16',
    by: 'a suffix that counts on though the first may have happened',
    good: payingHistory,
    edit: (d) => (ofStep(d, 'EffectIntended', 'pay', 2).data['suffix'] = ofStep(d, 'EffectConfirmed', 'pay').data['suffix'] = 1),
  },
  {
    invariant: 'I-17',
    by: 'a lost attempt of whose effect nothing is told',
    good: payingHistory,
    edit: (d) => drop(d, first(d, 'EffectUnknown')),
  },
  {
    invariant: 'I-17',
    by: 'a lost attempt that is called harmless though it was granted',
    good: payingHistory,
    edit: (d) => {
      const granted = structuredClone(appendWith(d, first(d, 'AttemptTaken')));
      const lapse = appendWith(d, ofStep(d, 'StepFailed', 'mail'));
      const { attemptId } = ofStep(d, 'StepFailed', 'mail').data;
      granted.at = lapse.at;
      granted.cause = `${String(attemptId)}:claim`;
      granted.events[0]!.data['attemptId'] = attemptId;
      d.splice(d.indexOf(lapse), 0, granted);
    },
  },
  {
    invariant: 'I-17',
    by: 'an attempt that is granted to two',
    good: payingHistory,
    edit: (d) => d.splice(d.indexOf(appendWith(d, first(d, 'AttemptTaken'))), 0, structuredClone(appendWith(d, first(d, 'AttemptTaken')))),
  },
  {
    invariant: 'I-17',
    by: 'an answer of somebody who never claimed',
    good: payingHistory,
    edit: (d) => remove(d, appendWith(d, first(d, 'AttemptTaken'))),
  },
  {
    invariant: 'I-17',
    by: 'an effect that goes out again though its target does not de-duplicate',
    good: payingHistory,
    edit: (d) => [1, 2].forEach((nth) => (ofStep(d, 'EffectIntended', 'pay', nth).data['guarantee'] = 'none')),
  },
  {
    invariant: 'I-17',
    by: 'an effect in doubt that a later attempt calls absent',
    good: doubtedHistory,
    edit: (d) => {
      const second = appendWith(d, ofStep(d, 'StepFailed', 'pay', 2)).events;
      second[1] = { ...second[1]!, type: 'EffectAbsent' };
    },
  },
  { invariant: 'I-17', by: 'an end that leaves an effect open', good: cancelledHistory, edit: (d) => drop(d, first(d, 'EffectUnknown')) },
  {
    invariant: 'I-18',
    by: 'an effect without the checkpoint before',
    good: payingHistory,
    edit: (d) => (first(d, 'CheckpointReached').data['kind'] = 'stage'),
  },
  {
    invariant: 'I-18',
    by: 'an effect without the checkpoint after',
    good: payingHistory,
    edit: (d) => (last(d, 'CheckpointReached').data['kind'] = 'stage'),
  },
  {
    invariant: 'I-28',
    by: 'one receipt that does two things to the run',
    good: payingHistory,
    edit: (d) => (appendWith(d, first(d, 'RunUnpaused')).cause = appendWith(d, first(d, 'RunPaused')).cause),
  },
  {
    invariant: 'I-30',
    by: 'a cancellation that leaves a wait open',
    good: cancelledHistory,
    edit: (d) => drop(d, first(d, 'WaitWithdrawn')),
  },
  {
    invariant: 'I-31',
    by: 'an open attempt behind a blocked one',
    good: escalated,
    edit: (d) => {
      const also = structuredClone(first(d, 'StepStarted'));
      Object.assign(also.data, { step: 'also', attemptId: '1'.repeat(26) });
      d[0]?.events.push(also);
    },
  },
  { invariant: 'I-32', by: 'an escalation to nobody', good: escalated, edit: (d) => delete first(d, 'RetryDecided').data['queue'] },
];

/** Puts each in the other's place and time. */
function swap(drafts: Draft[], one: Draft, other: Draft): void {
  const [i, j] = [drafts.indexOf(one), drafts.indexOf(other)];
  drafts[i] = { ...other, at: one.at };
  drafts[j] = { ...one, at: other.at };
}
