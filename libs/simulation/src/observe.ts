import type { StoredEvent } from '@cairn/kernel';
import { categoryOf, epochMsOf } from '@cairn/kernel';
import { observeFailures } from './observe-failures.js';
import type { World } from './world/world.js';

/** How long after its time something must have happened to say that the services were down when it was due. */
const LATE_MS = 3_000;

/** A branch begins at once where whoever announced it lives; after this long the sweep has found it. */
const BEGUN_LATE_MS = 1_500;

/** Counts what one branch shows of where it came from. */
function observeBranch({ coverage }: World, [opened, , third, ...rest]: readonly StoredEvent[]): void {
  if (opened?.type !== 'BranchOpened') return;
  coverage.note('branch opened');
  if (third !== undefined && epochMsOf(third.at) > epochMsOf(opened.at) + BEGUN_LATE_MS) coverage.note('branch begun late');
  const { attempts, waits } = opened.data['carried'] as { readonly attempts: readonly string[]; readonly waits: readonly string[] };
  for (const { type, data } of rest) {
    if ((type === 'StepSucceeded' || type === 'StepFailed') && attempts.includes(String(data['attemptId'])))
      coverage.note('carried attempt settled');
    if (type === 'WaitSatisfied' && waits.includes(String(data['waitId']))) coverage.note('carried wait satisfied');
  }
}

/** Counts what the stored events show to have happened. */
export function observe(world: World): void {
  for (const [stream, events] of world.store.allStreams()) {
    if (categoryOf(stream) !== 'run') continue;
    observeFailures(world, events);
    observeBranch(world, events);
  }
  const { coverage } = world;
  const waits = new Map<string, StoredEvent>();
  for (const event of world.store.allEvents()) {
    if (categoryOf(event.stream) !== 'run') continue;
    const { type, data } = event;
    switch (type) {
      case 'RunStarted':
        if (String((data['cause'] as { source: string }).source).startsWith('/cairn/')) coverage.note('run started by an emit');
        break;
      case 'StepStarted':
        if (Number(data['attempt']) > 1) coverage.note('attempt retried');
        break;
      case 'StepSkipped':
        coverage.note('step skipped');
        break;
      case 'LateResultRecorded':
        coverage.note('late result');
        break;
      case 'WaitOpened':
        waits.set(String(data['waitId']), event);
        break;
      case 'WaitTriggered':
        if (data['kept'] === true) coverage.note('early event used');
        if (data['source'] === undefined) coverage.note('timer fired');
        else if (String(data['type']).includes('signal')) coverage.note('signal used');
        break;
      case 'WaitExpired': {
        coverage.note('deadline passed');
        const deadline = waits.get(String(data['waitId']))?.data['deadline'];
        if (typeof deadline === 'string' && epochMsOf(event.at) > epochMsOf(deadline) + LATE_MS) coverage.note('deadline in downtime');
        break;
      }
      case 'WaitStale':
        coverage.note('wait stale');
        break;
      case 'ReviewRequested':
        coverage.note('review requested');
        if (data['why'] === 'budget') coverage.note('asked over the budget');
        if (data['previous'] !== undefined) coverage.note('review asked again');
        break;
      case 'ReviewEscalated':
        coverage.note('review escalated');
        break;
      case 'ReviewWithdrawn':
        coverage.note('review withdrawn');
        break;
      case 'VerdictCarried':
        coverage.note('verdict carried');
        break;
      case 'VerdictApplied':
        coverage.note(`${data['verdict'] as 'approve' | 'edit' | 'reject' | 'revise' | 'expired'} applied`);
        if (data['verdict'] === 'expired') coverage.note('review expired');
        break;
      case 'EffectCompensated':
        coverage.note('effect compensated');
        break;
      case 'BranchAbandoned':
        coverage.note('shadow given up');
        break;
      case 'EventEmitted':
        coverage.note('run emitted');
        break;
      case 'RunGaveUp':
        coverage.note('run gave up');
        break;
      case 'RunFailed':
        coverage.note('run failed');
        break;
      default:
    }
  }
}
