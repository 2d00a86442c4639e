import { evolve, stateDigest, stateDigestFromScratch, type RecordedRunEvent, type RunState } from '@cairn/domain-run';
import { appendOf, type Branch } from './branch.js';
import type { Report } from './report.js';

/** The last state that the fold reached, and whether it reached the end. */
export interface Folded {
  readonly state: RunState;
  readonly whole: boolean;
}

/**
 * I-4: the fold takes every event, gives at each checkpoint the digest that was written then, and gives the same when it is
 * stopped in the middle and goes on. Also I-10's other half: a late result changes nothing of the path.
 */
export function checkFold(branch: Branch, beginning: RunState, report: Report): Folded {
  const { events, parkedAt } = branch;
  const middle = events.length >> 1;
  let state = beginning;
  let halfway = state;
  for (const event of events) {
    if (event.revision === middle) halfway = state;
    const next = foldOne(state, event, report);
    if (next === undefined) return { state, whole: false };
    checkStep(state, event, next, report);
    checkEscalation(branch, event, next, report);
    state = next;
  }
  const again = events.slice(middle).reduce((from, event) => evolve(from, event, event), halfway);
  if (stateDigest(again) !== stateDigestFromScratch(state))
    report('I-4', middle, 'folding the prefix and then the rest gives another state than folding all');
  if (parkedAt === undefined) return { state, whole: true };
  report(
    'I-4',
    parkedAt.revision,
    `parked: ${parkedAt.type} version ${parkedAt.version} was written by a newer build; from here on nothing was checked`,
  );
  return { state, whole: false };
}

function foldOne(state: RunState, event: RecordedRunEvent, report: Report): RunState | undefined {
  try {
    return evolve(state, event, event);
  } catch (error) {
    report('I-4', event.revision, `folding ${event.type} throws: ${error instanceof Error ? error.message : 'not an error'}`);
    return undefined;
  }
}

function checkStep(before: RunState, event: RecordedRunEvent, after: RunState, report: Report): void {
  if (event.type === 'CheckpointReached' && event.data.stateDigest !== stateDigest(before)) {
    report('I-4', event.revision, `checkpoint ${event.data.name} holds another digest than the state before it folds to`);
  }
  if (event.type === 'LateResultRecorded' && (after.path !== before.path || after.end !== before.end)) {
    report('I-10', event.revision, 'a late result changed the path');
  }
  if (after.status.state === 'waiting' && ![...after.path.waits.values()].some(({ open }) => open)) {
    report('I-19', event.revision, 'the run is waiting and no wait is open');
  }
}

/**
 * I-32: who is asked is visible, in that append: people are asked, once, and the run is escalated, unless it is paused, the step may fail and
 * is passed over, or the run is over.
 */
function checkEscalation(branch: Branch, event: RecordedRunEvent, after: RunState, report: Report): void {
  const { appendFirst, appendCount } = branch.stored[event.revision]!.metadata;
  if (appendFirst + appendCount - 1 !== event.revision) return;
  const append = appendOf(branch, event.revision);
  const escalated = append.find((one) => one.type === 'RetryDecided' && one.data.decision === 'escalate');
  if (escalated?.type !== 'RetryDecided') return;
  const { step } = escalated.data;
  if (append.some((one) => one.type === 'StepSkipped' && one.data.step === step)) return;
  const { attemptId } = escalated.data;
  const asked = append.filter((one) => one.type === 'ReviewRequested' && one.data.attemptId === attemptId).length;
  // Histories of before there were such reviews ask nobody, and are blocked.
  if (asked > 1) report('I-32', event.revision, `${step} is escalated once, and people are asked ${asked} times`);
  const visible = asked === 1 ? ['escalated', 'blocked', 'complete'] : ['blocked', 'complete'];
  if (!visible.includes(after.status.state))
    report('I-32', event.revision, `${step} is escalated, and the run does not show it: it is ${after.status.state}`);
}
