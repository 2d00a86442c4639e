import type { StoredEvent } from '@cairn/kernel';
import type { RecordedRunEvent } from '../events.js';
import type { BranchPoint } from './events.js';
import { isOfNothing } from './evolve.js';
import type { Branches } from './lineage.js';

/** Where a branch shall grow: on a branch, at a revision, a checkpoint's name, a step (just before it started), or `failure`. */
export interface ForkRequest {
  readonly branch: string;
  readonly at: string;
  /** Of a step: just before what it gave was made, on the branch that made it, with what is different there. Else before it first began. */
  readonly made?: true;
}

export type Fork =
  { readonly point: BranchPoint } | { readonly problem: { readonly pointer: string; readonly rule: string; readonly says: string } };

/** The last checkpoint before the last failure. */
const FAILURE = 'failure';
/** Of a shadow: the last checkpoint ahead of the first step that took a result of something that never happened there. */
export const PROMOTE = 'promote';

/** What came in one append belongs together: an attempt and its intent, a result and its stage. */
function endOfAppend(events: readonly RecordedRunEvent[], revision: number): number {
  const { metadata } = events[revision] as unknown as Pick<StoredEvent, 'metadata'>;
  return metadata.appendFirst + metadata.appendCount - 1;
}

/**
 * The point that a request means, on the path of the branch that it names: of several the last. What is not there is told with the field that
 * names it.
 */
export function forkAt(branches: Branches, { branch, at, made }: ForkRequest): Fork {
  const events = branches.get(branch);
  if (events === undefined || events.length === 0)
    return wrong('/from/branch', 'branch_not_found', `the run has no branch ${branch}; it has ${[...branches.keys()].join(', ')}`);
  if (at === PROMOTE) return promotionOf(branch, events);
  if (/^\d+$/.test(at)) {
    const revision = Number(at);
    return revision < events.length
      ? { point: { branch, revision: endOfAppend(events, revision) } }
      : wrong('/from/at', 'revision_not_found', `${branch} ends at ${branch}@${events.length - 1}`);
  }
  const path = pathOf(branches, branch);
  const point =
    at === FAILURE
      ? beforeFailure(path)
      : (checkpointNamed(path, at) ?? (made === true ? beforeResult(path, at) : undefined) ?? beforeStep(path, at));
  if (point !== undefined) return { point };
  if (at === FAILURE) return wrong('/from/at', 'failure_not_found', `nothing has failed on ${branch}`);
  return wrong('/from/at', 'checkpoint_not_found', `${branch} has no revision, checkpoint or step ${at}`);
}

function promotionOf(branch: string, events: readonly RecordedRunEvent[]): Fork {
  const [opened] = events;
  if (opened?.type !== 'BranchOpened' || !opened.data.shadow)
    return wrong('/from/branch', 'not_a_shadow', `${branch} is no shadow: only a shadow is promoted`);
  const stubbed = events.findIndex((event) => event.type === 'StepStubbed' && isOfNothing(event.data.from));
  const ahead = stubbed < 0 ? events : events.slice(0, stubbed);
  const checkpoint = ahead.findLast(({ type }) => type === 'CheckpointReached');
  return checkpoint === undefined
    ? wrong('/from/at', 'checkpoint_not_found', `${branch} has no checkpoint`)
    : { point: { branch, revision: checkpoint.revision } };
}

interface Placed {
  readonly point: BranchPoint;
  readonly event: RecordedRunEvent;
}

/** Everything that leads to a branch's end, in order. */
function pathOf(branches: Branches, branch: string): Placed[] {
  const segments: Placed[][] = [];
  const seen = new Set<string>();
  let at: BranchPoint | undefined = { branch, revision: Number.POSITIVE_INFINITY };
  while (at !== undefined && !seen.has(at.branch)) {
    const to: BranchPoint = at;
    seen.add(to.branch);
    const events = (branches.get(to.branch) ?? []).filter(({ revision }) => revision <= to.revision);
    segments.unshift(events.map((event) => ({ point: { branch: to.branch, revision: event.revision }, event })));
    const [first] = events;
    at = first?.type === 'BranchOpened' ? first.data.parent : undefined;
  }
  return segments.flat();
}

const checkpointNamed = (path: readonly Placed[], name: string): BranchPoint | undefined =>
  path.findLast(({ event }) => event.type === 'CheckpointReached' && event.data.name === name)?.point;

function beforeFailure(path: readonly Placed[]): BranchPoint | undefined {
  const failed = path.findLastIndex(({ event }) => event.type === 'StepFailed');
  if (failed < 0) return undefined;
  return (path.slice(0, failed).findLast(({ event }) => event.type === 'CheckpointReached') ?? path[0])?.point;
}

/** Just before a step first began on this path: nothing of it has happened there. */
function beforeStep(path: readonly Placed[], step: string): BranchPoint | undefined {
  const began = path.findIndex(({ event }) => {
    if (event.type === 'CheckpointReached') return event.data.step === step && ['pre_effect', 'wait', 'review'].includes(event.data.kind);
    return (event.type === 'StepStarted' || event.type === 'StepSkipped' || event.type === 'EventEmitted') && event.data.step === step;
  });
  return began <= 0 ? undefined : path[began - 1]?.point;
}

/** Just before a step began on the branch on which it succeeded last: a policy's branch has taken another way to do it. */
function beforeResult(path: readonly Placed[], step: string): BranchPoint | undefined {
  const isOf = ({ event }: Placed, type: 'StepStarted' | 'StepSucceeded'): boolean => event.type === type && event.data.step === step;
  const result = path.findLast((placed) => isOf(placed, 'StepSucceeded'));
  const began = path.findIndex((placed) => placed.point.branch === result?.point.branch && isOf(placed, 'StepStarted'));
  return began <= 0 ? undefined : path[began - 1]?.point;
}

const wrong = (pointer: string, rule: string, says: string): Fork => ({ problem: { pointer, rule, says } });
