import { parseOccurrence, type RecordedRunEvent } from '@cairn/domain-run';
import { canon } from '@cairn/kernel';
import type { Branch, EventOf } from './branch.js';
import type { Limits } from './history.js';
import type { Report } from './report.js';
import { isEnd, isEndOfShadow } from './steps.js';
import type { Walk } from './walk.js';

/** `b2`, `b3`, …: numbers in the order in which branches were announced. */
const nth = (n: number): string => (n === 0 ? 'main' : `b${n + 1}`);

/** I-6 and I-9: one root, one head, and every other branch follows from what announced it on the head of then. */
export function checkHead(
  branches: readonly Branch[],
  limits: Limits,
  when: 'live' | 'quiescent',
  reportOn: (branch: string) => Report,
): void {
  const main = branches.find(({ name }) => name === 'main');
  if (main === undefined || main.stored.length === 0) reportOn('main')('I-9', 0, 'there is no branch main, so nothing can be the head');
  checkCount(branches, limits, reportOn('main'));
  const announced = new Map<string, { readonly branch: Branch; readonly event: Announcement }>();
  for (const branch of branches) {
    for (const event of branch.events) {
      if (event.type !== 'BranchSuperseded' && event.type !== 'ShadowOpened') continue;
      const successor = nameIn(event);
      if (announced.has(successor)) reportOn(branch.name)('I-9', event.revision, `${successor} is announced twice: there are two heads`);
      announced.set(successor, { branch, event });
    }
  }
  for (const branch of branches) {
    const report = reportOn(branch.name);
    if (branch.name === 'main' || branch.stored.length === 0) continue;
    const by = announced.get(branch.name);
    if (by === undefined) report('I-9', 0, `branch ${branch.name} follows from nothing that announced it: there are two heads`);
    else checkOpening(branch, by, report);
  }
  for (const [name, { branch, event }] of announced)
    if (when === 'quiescent' && (branches.find((one) => one.name === name)?.stored.length ?? 0) === 0)
      reportOn(branch.name)('I-31', event.revision, `stuck: branch ${name} was announced and never opened`);
  const names = [...announced.keys()].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
  const wrong = names.find((name, i) => name !== nth(i + 1));
  if (wrong !== undefined) reportOn('main')('I-6', 0, `branch ${wrong} is not the next in order: ${names.join(' ')}`);
}

type Announcement = EventOf<'BranchSuperseded'> | EventOf<'ShadowOpened'>;
const nameIn = (event: Announcement): string => (event.type === 'ShadowOpened' ? event.data.branch : event.data.successor);

/** Everything that a shadow may hold: it intends no effect, opens no wait, asks nobody and tells nobody (I-9, U-6). */
const ofShadows: readonly string[] = [
  ...['BranchOpened', 'CheckpointReached', 'StepStarted', 'StepSucceeded', 'StepFailed', 'StepSkipped'],
  ...['StepStubbed', 'ShadowEnded', 'BranchAbandoned'],
];
const ofShadowsAlone: readonly string[] = ['StepStubbed', 'ShadowEnded', 'BranchAbandoned'];

function checkWhatItHolds(events: Branch['events'], shadow: boolean, report: Report): void {
  for (const { type, revision } of events)
    if (shadow ? !ofShadows.includes(type) : ofShadowsAlone.includes(type))
      report('I-9', revision, shadow ? `${type} on a shadow, which acts on nothing` : `${type} on a branch that acts`);
}

/** I-12: no more branches than the run's definition allows, and one for each time that people let it go beyond. */
function checkCount(branches: readonly Branch[], limits: Limits, report: Report): void {
  const started = branches.find(({ name }) => name === 'main')?.events[0];
  const allowed = started?.type === 'RunStarted' ? started.data.limits.branches : limits.branches;
  const asked = new Set<string>();
  let granted = 0;
  for (const { events } of branches)
    for (const { type, data } of events) {
      if (type === 'ReviewRequested' && data.why === 'budget') asked.add(data.reviewId);
      if (type === 'VerdictApplied' && asked.has(data.reviewId) && /^(branch|fallback|reduce)/.test(data.then)) granted += 1;
    }
  if (branches.length > allowed + granted) report('I-12', 0, `${branches.length} branches, at most ${allowed + granted}`);
}

/** I-6: a branch opens with what was announced, at its time and by its actor, and its chain goes on from its parent (I-2). */
function checkOpening(
  { events, stored }: Branch,
  { branch, event }: { readonly branch: Branch; readonly event: Announcement },
  report: Report,
): void {
  const [opened, checkpoint] = events;
  if (opened?.type !== 'BranchOpened') return report('I-6', 0, `the branch begins with ${opened?.type ?? 'nothing that can be read'}`);
  const { predecessor, actor, shadow, ...spec } = opened.data;
  const announcement = branch.stored[event.revision];
  if (predecessor.branch !== branch.name || predecessor.revision !== event.revision)
    report('I-6', 0, `it follows ${predecessor.branch}@${predecessor.revision}, and was announced at ${branch.name}@${event.revision}`);
  if (canon(spec) !== canon(event.data.spec)) report('I-6', 0, 'it is opened with something else than was announced');
  if (actor !== announcement?.actor || opened.at !== event.at || stored[0]?.causationId !== announcement.eventId)
    report('I-6', 0, 'actor, time or cause are not those of its announcement');
  if (shadow !== (event.type === 'ShadowOpened')) report('I-9', 0, shadow ? 'a shadow is the head' : 'a shadow is opened as one that acts');
  checkWhatItHolds(events, shadow, report);
  if (spec.reason.length === 0) report('I-6', 0, 'it says no reason');
  if (checkpoint?.type !== 'CheckpointReached' || checkpoint.data.kind !== 'recovery' || stored[0]?.metadata.appendCount !== 2)
    report('I-6', 0, 'its first append is not BranchOpened and a recovery checkpoint');
}

/** I-9: a paused run starts nothing and does not complete. Only a run that goes on can be paused, only a paused one can go on. */
export function checkPauses(walk: Walk): void {
  const { report } = walk;
  let rescheduled: string | undefined;
  let paused = false;
  let ended = false; // What becomes of effects is found out then all the same.
  for (const event of walk.events()) {
    ended = isEnd(event.type) || (ended && event.type !== 'BranchOpened');
    switch (event.type) {
      case 'BranchOpened':
        if (event.data.shadow) paused = false; // Paused is the run, of which a shadow is no part.
        break;
      case 'RunPaused':
      case 'RunUnpaused':
        if (paused === (event.type === 'RunPaused'))
          report('I-9', event.revision, `${event.type} changes nothing and stands in the history`);
        paused = event.type === 'RunPaused';
        break;
      case 'WaitWithdrawn':
        rescheduled = event.data.because === 'rescheduled' ? event.data.waitId : undefined;
        break;
      case 'WaitOpened':
        if (paused && event.data.waitId !== rescheduled)
          report('I-9', event.revision, `${event.type} of ${event.data.step} while the run is paused`);
        break;
      case 'StepStarted':
      case 'AttemptTaken':
      case 'EventEmitted':
        if (paused && !ended) report('I-9', event.revision, `${event.type} of ${event.data.step} while the run is paused`);
        break;
      case 'RunCompleted':
        if (paused) report('I-9', event.revision, 'the run completes while it is paused');
        break;
      default:
    }
  }
}

/** What may follow a run's end on its head, and change nothing of it (I-8, as far as it exists). */
const annotations: readonly string[] = [
  'LateResultRecorded',
  'ShadowOpened',
  'EffectConfirmed',
  'EffectAbsent',
  'EffectUnknown',
  'EffectCompensated',
];
/** Of attempts that find out about an effect, or undo it. */
const ofParts: readonly string[] = ['StepStarted', 'StepSucceeded', 'StepFailed'];
const isAnnotation = ({ type, data }: RecordedRunEvent): boolean =>
  annotations.includes(type) || (ofParts.includes(type) && 'step' in data && parseOccurrence(data.step ?? '').part !== undefined);

/** I-8: nothing follows an end but what is written in its margin, and nothing a successor. I-30: what is over has nothing open. */
export function checkEnd(walk: Walk): void {
  const { report } = walk;
  const openWaits = new Map<string, string>();
  let ended: string | undefined;
  for (const event of walk.events()) {
    if (event.type === 'BranchOpened') {
      ended = undefined;
      for (const waitId of openWaits.keys()) if (!event.data.carried.waits.includes(waitId)) openWaits.delete(waitId);
    }
    const allowed =
      ended === undefined ||
      (ended !== 'BranchSuperseded' && !isEndOfShadow(ended) && (isAnnotation(event) || event.type === 'BranchSuperseded'));
    if (!allowed) report('I-8', event.revision, `${event.type} after ${ended}`);
    if (event.type === 'WaitOpened') openWaits.set(event.data.waitId, event.data.step);
    if (event.type === 'WaitSatisfied' || event.type === 'WaitExpired' || event.type === 'WaitWithdrawn')
      openWaits.delete(event.data.waitId);
    if (event.type === 'BranchSuperseded') ended = event.type;
    if (!isEnd(event.type)) continue;
    ended ??= event.type;
    for (const step of openWaits.values()) report('I-30', event.revision, `${event.type} leaves wait ${step} open`);
  }
}
