import { defaultLimits, printViolation, verifyRun, type RunHistory } from '@cairn/oracle';
import { outputView } from '@cairn/domain-run';
import { categoryOf, idOfStream, parseRunStream, runStream, type Id, type StoredEvent } from '@cairn/kernel';
import { excuseOf } from './excuses.js';
import type { Finding } from './finding.js';
import { headOfRun } from './head-of-run.js';
import { wrongEffects } from './judge-effects.js';
import type { World } from './world/world.js';
import type { HandlerProcess } from './world/handler.js';
import type { PlannedRun, Publisher } from './world/publisher.js';
import type { Reviewers } from './world/reviewers.js';

/** Events that somebody else waits to hear of. Each must have been told at least once, however often the relay died. */
const toldTypes = new Set([
  'RunStarted',
  'StepFailed',
  'RetryDecided',
  'WaitOpened',
  'WaitSatisfied',
  'WaitExpired',
  'ReviewRequested',
  'ReviewEscalated',
  'VerdictApplied',
  'ReviewWithdrawn',
  'EffectUnknown',
  'EventEmitted',
  'RunPaused',
  'RunUnpaused',
  'RunCancelled',
  'RunCompleted',
  'RunFailed',
  'RunGaveUp',
  'BranchSuperseded',
  'BranchOpened',
]);

/** Whoever was promised something. */
interface Outside {
  readonly publisher: Publisher;
  readonly handlers: readonly HandlerProcess[];
  readonly reviewers: Reviewers;
}

/** Judges a world that has come to rest, by what is stored and what was promised, never by what the services believe. */
export function judge(world: World, { publisher, handlers, reviewers }: Outside, readAt: number): Finding[] {
  const streams = world.store.allStreams();
  const findings: Finding[] = world.bugs.map((says) => ({ check: 'bug', says }));
  const runs = runsOf(streams);
  const shared = sharedHistory(streams);
  for (const [runId, branches] of runs) {
    const history: RunHistory = { runId, branches, ...shared, readAt };
    for (const violation of verifyRun(history, defaultLimits, 'quiescent')) {
      findings.push({ check: violation.invariant, says: printViolation(runId, violation) });
    }
  }
  return [
    ...findings,
    ...promisesBroken(world, publisher, handlers, streams),
    ...untold(world),
    ...decidedUnseen(reviewers, streams),
    ...wrongEffects(world.target, runs),
    ...wrongOutcomes(world, publisher, runs, shared.policies),
  ];
}

type Streams = ReadonlyMap<string, readonly StoredEvent[]>;

type Runs = ReadonlyMap<Id, ReadonlyMap<string, readonly StoredEvent[]>>;

export function runsOf(streams: Streams): Map<Id, Map<string, readonly StoredEvent[]>> {
  const runs = new Map<Id, Map<string, readonly StoredEvent[]>>();
  for (const [stream, events] of streams) {
    const run = parseRunStream(stream);
    if (run === undefined) continue;
    runs.set(run.runId, (runs.get(run.runId) ?? new Map<string, readonly StoredEvent[]>()).set(run.branch, events));
  }
  return runs;
}

function sharedHistory(streams: Streams): Required<Pick<RunHistory, 'inbox' | 'policies' | 'definitions' | 'reviews'>> {
  const of = (...categories: string[]): StoredEvent[] =>
    [...streams].filter(([stream]) => categories.includes(categoryOf(stream))).flatMap(([, events]) => events);
  const reviews = new Map(
    [...streams].flatMap(([stream, events]) => (categoryOf(stream) === 'review' ? [[idOfStream(stream), events]] : [])),
  );
  return { inbox: of('receipt', 'inbox'), policies: of('policy'), definitions: of('workflow'), reviews };
}

/** E-1: what somebody was told is stored, is stored. */
function promisesBroken(world: World, publisher: Publisher, handlers: readonly HandlerProcess[], streams: Streams): Finding[] {
  const findings: Finding[] = [];
  const broken = (says: string): void => void findings.push({ check: 'E-1', says });
  for (const { stream, revision, eventId, type } of world.acknowledged) {
    if (streams.get(stream)?.[revision]?.eventId !== eventId)
      broken(`the append of ${type} ${stream}@${revision} was acknowledged and is not there`);
  }
  for (const receiptId of publisher.receipts)
    if (!streams.has(`receipt-${receiptId}`)) broken(`receipt ${receiptId} was shown and is not there`);
  const counted = new Set<string>();
  for (const [stream, events] of streams) {
    if (categoryOf(stream) !== 'run') continue;
    for (const { type, causationId } of events) if (type === 'StepSucceeded' || type === 'StepFailed') counted.add(causationId);
  }
  for (const { accepted } of handlers)
    for (const replyId of accepted) if (!counted.has(replyId)) broken(`reply ${replyId} was accepted and is in no history`);
  return findings;
}

/** P-5: what hands a run over is told at least once. */
function untold(world: World): Finding[] {
  const findings: Finding[] = [];
  for (const { stream, revision, type, eventId, data } of world.store.allEvents()) {
    const category = categoryOf(stream);
    if (category !== 'review' && (category !== 'run' || !toldTypes.has(type))) continue;
    const ids = type === 'EventEmitted' ? [eventId, String(data['eventId'])] : [eventId];
    if (!ids.every((id) => world.published.has(id)))
      findings.push({ check: 'facts', says: `${type} ${stream}@${revision} was never told` });
  }
  return findings;
}

/** C-REVIEW: what stands as somebody's word is about what he was looking at. */
function decidedUnseen({ said }: Reviewers, streams: Streams): Finding[] {
  const findings: Finding[] = [];
  for (const [stream, events] of streams) {
    if (categoryOf(stream) !== 'review') continue;
    const asked = events[0]?.data['subjectDigest'];
    for (const { type, revision, causationId } of events) {
      if (type !== 'ReviewDecided' && type !== 'VoteCast') continue;
      const seen = said.get(causationId)?.subjectDigest;
      if (seen !== asked)
        findings.push({ check: 'people', says: `${stream}@${revision}: ${type} of somebody who looked at something else` });
    }
  }
  return findings;
}

/**
 * Each run ends as it would have without any fault, or as somebody asked, or stands visibly before an operator because its policy bears
 * no more, or because nobody knows whether its effect happened.
 */
function wrongOutcomes(world: World, publisher: Publisher, runs: Runs, policies: readonly StoredEvent[]): Finding[] {
  const findings: Finding[] = [];
  const excused = new Set<string>();
  for (const planned of publisher.runs) {
    const branches = runs.get(planned.runId);
    const wrong = branches === undefined ? notStarted(planned, excused) : wrongOutcome(world, planned, branches, policies, excused);
    if (wrong !== undefined)
      findings.push({ check: 'outcome', says: `${planned.workload.name} ${runStream(planned.runId, 'main')}: ${wrong}` });
  }
  const wanted = new Set(publisher.runs.map(({ runId }) => runId));
  for (const runId of runs.keys()) if (!wanted.has(runId)) findings.push({ check: 'outcome', says: `nobody wanted run ${runId}` });
  return findings;
}

/** A run that an emit starts need not exist if the emitting run did not come to its emit. */
const notStarted = ({ key }: PlannedRun, excused: ReadonlySet<string>): string | undefined =>
  excused.has(key) ? undefined : 'it never started';

function wrongOutcome(
  world: World,
  { workload, runId, key, n, cancelled }: PlannedRun,
  branches: ReadonlyMap<string, readonly StoredEvent[]>,
  policies: readonly StoredEvent[],
  excused: Set<string>,
): string | undefined {
  const state = headOfRun(runId, branches);
  if (state === undefined) return 'it does not fold';
  const { state: name, sub } = state.status;
  const output = state.end?.output === undefined ? null : outputView(state.end.output);
  const wrong = workload.expect({ state: name, sub, output }, n);
  if (wrong === undefined) return undefined;
  if (name === 'waiting' && wasToldLate(world, runId)) return undefined;
  const excuse = excuseOf([...branches.values()].flat(), policies);
  if (excuse === undefined || (excuse === 'cancelled') !== (sub === 'cancelled' && cancelled === true)) return wrong;
  if (excuse !== 'cancelled' && name !== 'blocked' && name !== 'escalated') return wrong;
  world.coverage.note(excuse);
  excused.add(key);
  return undefined;
}

/**
 * Whether a signal for the run was answered `late`, since the run had ended then. Whoever recovers it afterwards from before its wait makes it
 * wait for a signal that its sender knows to be lost.
 */
function wasToldLate(world: World, runId: Id): boolean {
  for (const [stream, [received, ...lines]] of world.store.allStreams()) {
    if (categoryOf(stream) !== 'receipt') continue;
    const { target } = (received?.data ?? {}) as { readonly target?: { readonly runId?: string } };
    if (target?.runId === runId && lines.some(({ data }) => data['outcome'] === 'late')) return true;
  }
  return false;
}
