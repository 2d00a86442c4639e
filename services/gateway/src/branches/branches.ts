import type { BranchesView, BranchView } from '@cairn/contracts';
import { runEnds, type BranchOpened, type BranchSuperseded, type RetryDecided, type RunEvent } from '@cairn/domain-run';
import type { Id, JsonObject, StoredEvent } from '@cairn/kernel';
import { readQuery, type Query } from '../edge/params.js';
import type { RunReader } from '../queries/run-reader.js';
import type { WholeRun } from '../queries/whole-run.js';
import { marksOf } from './marks.js';

type Stored = StoredEvent & RunEvent;

/** `GET runs/{id}/branches`. */
export async function showBranches({ reader }: { readonly reader: RunReader }, ns: string, run: Id, query: Query): Promise<BranchesView> {
  readQuery(query, []);
  return branchesOf(await reader.whole(ns, run));
}

export function branchesOf(whole: WholeRun): BranchesView {
  const { state, run, head, branches } = whole;
  const failures = failuresOf(whole.events as readonly Stored[]);
  const { state: name, sub } = state.status;
  return {
    run,
    head,
    state: name,
    ...(sub === null ? {} : { sub }),
    branches: [...branches].map(([branch, stored]): BranchView => {
      const events = stored as readonly Stored[];
      const opened = events[0]?.type === 'BranchOpened' ? events[0] : undefined;
      const failure = failureOf(events, failures);
      return {
        branch,
        head: branch === head,
        shadow: opened?.data.shadow ?? false,
        epoch: state.ledger.branches.get(branch)?.epoch ?? 1,
        revision: events.length - 1,
        ...(opened === undefined ? {} : { opened: openedOf(opened.at, opened.data) }),
        ...outcomeOf(events),
        ...(failure === undefined ? {} : { failure }),
        ...marksOf(events),
      };
    }),
  };
}

function openedOf(at: string, data: BranchOpened['data']): NonNullable<BranchView['opened']> {
  const { actor, parent, checkpoint, cause, reason, evidence, changes, effectsChoices } = data;
  return {
    at,
    actor,
    parent,
    checkpoint,
    cause,
    reason,
    evidence,
    changes: changes as unknown as readonly JsonObject[],
    effects: effectsChoices,
  };
}

/** What became of a branch. One that had ended and was gone on from keeps its end. */
export function outcomeOf(events: readonly StoredEvent[]): Pick<BranchView, 'outcome' | 'endedAt' | 'supersededBy' | 'stops'> {
  const end = (events as readonly Stored[]).find(({ type }) => (runEnds as readonly string[]).includes(type));
  const last = events.at(-1);
  const superseded = last?.type === 'BranchSuperseded' ? last : undefined;
  const by = superseded === undefined ? {} : { supersededBy: (superseded.data as unknown as BranchSuperseded['data']).successor };
  const shadow = events.at(-1) as Stored | undefined;
  if (shadow?.type === 'ShadowEnded') {
    const { outcome, stops } = shadow.data;
    return { outcome, endedAt: shadow.at, ...(outcome === 'stopped' ? { stops: stops.map(({ says }) => says) } : {}) };
  }
  if (shadow?.type === 'BranchAbandoned') return { outcome: 'abandoned', endedAt: shadow.at };
  if (end !== undefined) return { outcome: ends(end), endedAt: end.at, ...by };
  return superseded === undefined ? { outcome: 'open' } : { outcome: 'superseded', endedAt: superseded.at, ...by };
}

function ends(event: Stored): BranchView['outcome'] {
  switch (event.type) {
    case 'RunCompleted':
      return event.data.outcome;
    case 'RunGaveUp':
      return 'gave_up';
    case 'RunCancelled':
      return 'cancelled';
    default:
      return 'failed';
  }
}

/** A failure may be decided upon on a later branch than the one that it stands on. */
function failuresOf(events: readonly Stored[]): ReadonlyMap<Id, string> {
  const messages = new Map<Id, string>();
  for (const event of events) if (event.type === 'StepFailed') messages.set(event.data.attemptId, event.data.failure.message);
  return messages;
}

const ATTEMPTS = /attempts (\d+ of \d+)/;

/** Why a branch of the run could not go on, if it could not. */
export const failureOn = (whole: WholeRun, branch: string): BranchView['failure'] =>
  failureOf(whole.eventsOf(branch) as readonly Stored[], failuresOf(whole.events as readonly Stored[]));

/**
 * Why a branch could not go on: the failure that its last append decides upon, what ended the run on it, or, of one that is over, the newest
 * failure that nothing had mended there.
 */
function failureOf(events: readonly Stored[], failures: ReadonlyMap<Id, string>): BranchView['failure'] {
  const last = events.at(-1);
  if (last === undefined) return undefined;
  const append = events.slice(last.metadata.appendFirst);
  const decided = append.find(({ type }) => type === 'RetryDecided');
  if (decided?.type === 'RetryDecided' && last.type !== 'StepSkipped' && decided.data.decision !== 'retry')
    return judged(decided.data, failures.get(decided.data.attemptId) ?? '');
  const failed = events.findLast(({ type }) => type === 'RunFailed');
  if (failed?.type === 'RunFailed') {
    const { step, bucket, message } = failed.data;
    return { ...(step === undefined ? {} : { step }), bucket, message };
  }
  return outcomeOf(events).outcome === 'open' ? undefined : unmended(events);
}

function judged({ step, bucket, justification }: RetryDecided['data'], message: string): NonNullable<BranchView['failure']> {
  const attempts = ATTEMPTS.exec(justification.rule)?.[1];
  return { step, bucket, ...(attempts === undefined ? {} : { attempts }), message };
}

/** The newest failure of a step that did not come to anything else on the branch. */
function unmended(events: readonly Stored[]): BranchView['failure'] {
  const open = new Map<string, Extract<Stored, { type: 'StepFailed' }>>();
  const decisions = new Map<Id, RetryDecided['data']>();
  for (const event of events) {
    if (event.type === 'StepFailed') {
      open.delete(event.data.step); // The newest comes last.
      open.set(event.data.step, event);
    } else if (event.type === 'StepSucceeded' || event.type === 'StepSkipped') open.delete(event.data.step);
    else if (event.type === 'EffectConfirmed' && event.data.by !== 'reply') open.delete(event.data.step);
    else if (event.type === 'RetryDecided') decisions.set(event.data.attemptId, event.data);
  }
  const failed = [...open.values()].at(-1);
  if (failed === undefined) return undefined;
  const { step, attemptId, failure } = failed.data;
  const decision = decisions.get(attemptId);
  return decision === undefined
    ? { step, bucket: failure.bucket ?? 'unclassified', message: failure.message }
    : judged(decision, failure.message);
}
