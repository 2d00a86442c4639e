import type { StoredEvent } from '@cairn/kernel';
import type { RunHistory } from '../history.js';
import type { Break } from './break.js';
import { breaksOfBranches } from './breaks-of-branches.js';
import { breaksOfEffects } from './breaks-of-effects.js';
import { breaksOfReviews } from './breaks-of-reviews.js';
import { appendWith, events, first, last, remove, resealed, there, withEventId } from './editing.js';
import { goodHistory } from './good-history.js';

export const mainOf = (history: RunHistory): readonly StoredEvent[] => history.branches.get('main') ?? [];
export const withMain = (history: RunHistory, main: readonly StoredEvent[]): RunHistory => ({
  ...history,
  branches: new Map([...history.branches, ['main', main]]),
});

export function broken({ good: make = goodHistory, edit, change }: Break): RunHistory {
  const good = make();
  const edited = edit === undefined ? good : withMain(good, resealed(mainOf(good), edit));
  return change === undefined ? edited : change(edited);
}

const inboxOf = (history: RunHistory): readonly StoredEvent[] => history.inbox ?? [];

/** At least one for each invariant; each fires that one alone. */
const breaksOfWaits: readonly Break[] = [
  {
    invariant: 'I-1',
    by: 'an earlier read found another event',
    change: (h) => ({
      ...h,
      earlier: new Map([['main', resealed(mainOf(h), (drafts) => (first(drafts, 'StepSucceeded').data['output'] = 'other'))]]),
    }),
  },
  {
    invariant: 'I-1',
    by: 'an event that was sealed for another place',
    change: (h) =>
      withMain(
        h,
        mainOf(h)
          .slice(0, -1)
          .concat(misplaced(there(mainOf(h).at(-1)))),
      ),
  },
  { invariant: 'I-2', by: 'a hash that does not follow', change: (h) => changed(h, 2, { hash: '00' }) },
  // Nothing comes after it whose `prevHash` would tell: only the rule of the hash itself does.
  { invariant: 'I-2', by: 'a last hash that does not follow', change: (h) => changed(h, mainOf(h).length - 1, { hash: '00' }) },
  { invariant: 'I-2', by: 'a prevHash of another event', change: (h) => changed(h, 2, { prevHash: '00' }) },
  { invariant: 'I-2', by: 'metadata that differs from the hashed body', change: (h) => changed(h, 2, { actor: 'user:eve' }) },
  {
    invariant: 'I-3',
    by: 'an event id that does not follow from its append',
    change: (h) => withMain(h, withEventId(mainOf(h), mainOf(h).length - 1, '0'.repeat(26))),
  },
  {
    invariant: 'I-4',
    by: 'a checkpoint with the digest of another state',
    edit: (d) => (first(d, 'CheckpointReached').data['stateDigest'] = '00'),
  },
  { invariant: 'I-4', by: 'an event of a newer version: parked, no crash', edit: (d) => (last(d, 'RunCompleted').version = 2) },
  {
    invariant: 'I-5',
    by: 'a retry that names no StepFailed',
    edit: (d) => (appendWith(d, first(d, 'RetryDecided')).cause = first(d, 'RunStarted')),
  },
  {
    invariant: 'I-5',
    by: 'a reply to an attempt that never was',
    edit: (d) => (appendWith(d, last(d, 'LateResultRecorded')).cause = `${'0'.repeat(26)}:end`),
  },
  {
    invariant: 'I-5',
    by: 'a cause that is neither an id nor a reply',
    edit: (d) => (appendWith(d, first(d, 'StepFailed')).cause = 'because'),
  },
  {
    invariant: 'I-8',
    by: 'a checkpoint after the end',
    edit: (d) => appendWith(d, last(d, 'RunCompleted')).events.push(structuredClone(last(d, 'CheckpointReached'))),
  },
  {
    invariant: 'I-9',
    by: 'a second branch out of nowhere',
    change: (h) => ({ ...h, branches: new Map([...h.branches, ['b2', resealed(mainOf(h), () => undefined, 'b2')]]) }),
  },
  {
    invariant: 'I-10',
    by: 'the result of an attempt that had lapsed',
    edit: (d) => (last(d, 'StepSucceeded').data['attemptId'] = first(d, 'StepFailed').data['attemptId']),
  },
  {
    invariant: 'I-10',
    by: 'an accepted reply that is recorded as late, too',
    edit: (d) => {
      const replyId = `${String(first(d, 'StepSucceeded').data['attemptId'])}:end`;
      const late = last(d, 'LateResultRecorded');
      Object.assign(late.data, { step: 'a', attemptId: first(d, 'StepSucceeded').data['attemptId'], replyId });
      appendWith(d, late).cause = replyId;
    },
  },
  {
    invariant: 'I-10',
    by: "a result that came with another attempt's reply",
    edit: (d) => (appendWith(d, last(d, 'StepSucceeded')).cause = `${String(first(d, 'StepFailed').data['attemptId'])}:end`),
  },
  {
    invariant: 'I-20',
    by: 'one event that counts twice under two receipts',
    edit: (d) => {
      const [one, two] = [first(d, 'WaitTriggered'), there(events(d).filter(({ type }) => type === 'WaitTriggered')[1])];
      Object.assign(two.data, { source: one.data['source'], id: one.data['id'] });
    },
  },
  {
    invariant: 'I-11',
    by: 'a second attempt while the first is open',
    edit: (d) => {
      const again = structuredClone(last(d, 'StepStarted'));
      again.data['attemptId'] = '1'.repeat(26);
      last(d, 'StepStarted').data['attempt'] = 3;
      appendWith(d, first(d, 'WaitSatisfied')).events.push(again);
    },
  },
  { invariant: 'I-18', by: 'a wait without its checkpoint', edit: (d) => (last(d, 'CheckpointReached').data['kind'] = 'stage') },
  { invariant: 'I-19', by: 'a wait that restores no checkpoint', edit: (d) => (first(d, 'WaitOpened').data['restores'] = 'elsewhere') },
  { invariant: 'I-20', by: 'a wait for two that is satisfied by one', edit: (d) => (first(d, 'WaitSatisfied').data['triggers'] = [0]) },
  {
    invariant: 'I-20',
    by: 'a wait that closes twice',
    edit: (d) => appendWith(d, last(d, 'StepSucceeded')).events.splice(1, 0, structuredClone(first(d, 'WaitSatisfied'))),
  },
  {
    invariant: 'I-20',
    by: 'one event that counts for two triggers',
    edit: (d) => {
      const { events: both } = appendWith(d, first(d, 'WaitTriggered'));
      both.push({ ...both[0]!, data: { ...both[0]!.data, trigger: 2 } });
      const triggers = first(d, 'WaitOpened').data['triggers'] as unknown[];
      triggers.push(triggers[0]);
      first(d, 'WaitSatisfied').data['triggers'] = [0, 1, 2];
    },
  },
  {
    invariant: 'I-21',
    by: 'a timer that fires early',
    edit: (d) => (last(d, 'WaitOpened').data['triggers'] = [{ kind: 'timer', at: '2026-11-23T09:00:30.001Z' }]),
  },
  {
    invariant: 'I-21',
    by: 'an attempt before its notBefore',
    edit: (d) => (first(d, 'RetryDecided').data['notBefore'] = '2026-11-23T09:00:33.500Z'),
  },
  {
    invariant: 'I-21',
    by: 'an event with another key',
    edit: (d) => ((first(d, 'WaitOpened').data['triggers'] as { key: string }[])[0]!.key = 'K-2'),
  },
  {
    invariant: 'I-21',
    by: 'an event where whoever has a link was waited for',
    edit: (d) => ((first(d, 'WaitOpened').data['triggers'] as object[])[0] = { kind: 'callback', name: 'portal' }),
  },
  {
    invariant: 'I-21',
    by: 'an event that was kept since before the run was asked for',
    edit: (d) => Object.assign(first(d, 'WaitTriggered').data, { kept: true, at: '2026-11-23T08:59:20.000Z' }),
  },
  {
    invariant: 'I-21',
    by: 'a trigger that was never declared',
    edit: (d) => (last(d, 'WaitOpened').data['triggers'] = [{ kind: 'signal', name: 'go' }]),
  },
  { invariant: 'I-22', by: 'a wait without deadline and without a reason', edit: (d) => delete last(d, 'WaitOpened').data['noDeadline'] },
  {
    invariant: 'I-28',
    by: 'a receipt that says another thing than the run did',
    change: (h) => ({ ...h, inbox: inboxOf(h).map(relabelled) }),
  },
  { invariant: 'I-29', by: 'a key that gives another run id', edit: (d) => (first(d, 'RunStarted').data['key'] = 'K-2') },
  { invariant: 'I-30', by: 'an end that leaves a wait open', edit: (d) => remove(d, appendWith(d, last(d, 'WaitSatisfied'))) },
  { invariant: 'I-31', by: 'an attempt that nobody works at', edit: (d) => void d.pop() },
  {
    invariant: 'I-31',
    by: 'a deadline that was forgotten',
    edit: (d) => d.splice(2),
    change: (h) => ({ ...h, inbox: inboxOf(h).filter(({ stream }) => stream === inboxOf(h)[0]!.stream) }),
  },
  {
    invariant: 'I-33',
    by: 'a definition that hashes to something else',
    edit: (d) => ((first(d, 'RunStarted').data['definition'] as { hash: string }).hash = 'sha256:00'),
  },
  {
    invariant: 'I-33',
    by: 'a retry by a policy that was never pinned',
    edit: (d) => ((first(d, 'RetryDecided').data['policy'] as { hash: string }).hash = 'sha256:00'),
  },
  {
    invariant: 'I-34',
    by: 'an output of more than 64 KiB in the event',
    edit: (d) => (first(d, 'StepSucceeded').data['output'] = 'x'.repeat(65_537)),
  },
  { invariant: 'I-35', by: 'a clock that went back', edit: (d) => (there(d.at(-2)).at = '2026-11-23T09:00:20.000Z') },
];

export const breaks: readonly Break[] = [...breaksOfWaits, ...breaksOfEffects, ...breaksOfBranches, ...breaksOfReviews];

const misplaced = (event: StoredEvent): StoredEvent => ({ ...event, stream: `${event.stream}2` });

function changed(history: RunHistory, revision: number, metadata: Partial<StoredEvent['metadata']>): RunHistory {
  const change = (event: StoredEvent): StoredEvent =>
    event.revision === revision ? { ...event, metadata: { ...event.metadata, ...metadata } } : event;
  return withMain(history, mainOf(history).map(change));
}

const relabelled = (event: StoredEvent): StoredEvent =>
  event.data['outcome'] === 'woke' ? { ...event, data: { ...event.data, outcome: 'unmatched' } } : event;
