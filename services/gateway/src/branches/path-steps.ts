import type { BranchDiffStep } from '@cairn/contracts';
import { pointerParts } from '@cairn/domain-definition';
import { digestOfValue, type ArtifactRef, type RunEvent } from '@cairn/domain-run';
import { epochMsOf, type Instant, type Json, type StoredEvent } from '@cairn/kernel';

type Stored = StoredEvent & RunEvent;

/** Sums of money carry the rounding of floats: beyond this nobody is billed. */
const USD_DIGITS = 1e6;
const MS_PER_S = 1_000;

export const secondsOf = (ms: number): number => ms / MS_PER_S;
const rounded = (usd: number): number => Math.round(usd * USD_DIGITS) / USD_DIGITS;

interface Course extends Partial<BranchDiffStep> {
  readonly startedAt: Instant;
  readonly attempts: number;
  readonly usd: number;
  readonly endedAt?: Instant;
  readonly outcome: BranchDiffStep['outcome'];
}

/** What became of each occurrence of a step on a path, in the order in which they came up. */
export function stepsOf(events: readonly Stored[]): ReadonlyMap<string, BranchDiffStep> {
  const courses = new Map<string, Course>();
  const collected = new Map<string, { trigger: number; data: Json; at: Instant }[]>();
  for (const event of events) {
    if (event.type === 'BranchOpened')
      for (const [step, output] of givenBy(event)) courses.set(step, givenTo(courses.get(step), event.at, output));
    const { step } = event.data as { readonly step?: string };
    if (step === undefined) continue;
    if (event.type === 'WaitOpened') collected.set(step, []);
    if (event.type === 'WaitTriggered') collected.get(step)?.push(triggered(event));
    const next = after(courses.get(step), event, collected.get(step) ?? []);
    if (next !== undefined) courses.set(step, next);
  }
  return new Map([...courses].map(([step, course]) => [step, stepOf(course)]));
}

function after(course: Course | undefined, event: Stored, got: readonly object[]): Course | undefined {
  const begun = course ?? { startedAt: event.at, attempts: 0, usd: 0, outcome: 'open' };
  const { failure: _, output: __, endedAt: ___, verdict: ____, ...open } = begun;
  const ended = { ...open, endedAt: event.at };
  switch (event.type) {
    case 'StepStarted': {
      const { queue, input, params } = event.data;
      return { ...open, queue, input, params, attempts: begun.attempts + 1, outcome: 'open' };
    }
    case 'StepSucceeded': {
      const { usage } = event.data;
      return { ...ended, outcome: 'succeeded', output: outputOf(event.data), usd: begun.usd + (usage?.usd ?? 0) };
    }
    case 'StepFailed': {
      const { failure, usage } = event.data;
      const { code, message } = failure;
      const seen = { ...(code === undefined ? {} : { code }), message };
      return { ...ended, outcome: 'failed', failure: seen, usd: begun.usd + (usage?.usd ?? 0) };
    }
    case 'RetryDecided':
      return begun.failure === undefined ? undefined : { ...begun, failure: { bucket: event.data.bucket, ...begun.failure } };
    case 'EventEmitted':
      return { ...ended, outcome: 'succeeded' };
    case 'StepSkipped':
      return { ...ended, outcome: 'skipped' };
    case 'StepStubbed':
      return event.data.skipped === true ? { ...ended, outcome: 'skipped' } : { ...ended, outcome: 'stubbed', ...assumed(event.data) };
    case 'WaitOpened':
      return { ...open, outcome: 'open' };
    case 'WaitSatisfied':
      return { ...ended, outcome: 'succeeded', output: digestOfValue(got as unknown as Json) };
    case 'WaitExpired':
      return { ...ended, outcome: 'expired' };
    case 'WaitWithdrawn':
      return { ...ended, outcome: 'withdrawn' };
    case 'ReviewRequested':
      return isOfStep(event.data) ? { ...open, outcome: 'open' } : undefined;
    case 'VerdictApplied':
      // What becomes of a failure, or of a loop's next turn, is no outcome of the step.
      return begun.queue !== undefined || event.data.attemptId !== undefined ? undefined : { ...ended, ...decided(event.data) };
    case 'VerdictCarried':
      return { ...ended, ...decided(event.data) };
    case 'ReviewWithdrawn':
      // One that asked about a failure, or about the next turn of a loop, says nothing of the step itself.
      return course?.outcome === 'open' && course.queue === undefined ? { ...ended, outcome: 'withdrawn' } : undefined;
    default:
      return undefined;
  }
}

/** A step that asks people; what becomes of a failure, or whether a loop goes on, is asked of a step that does something else. */
const isOfStep = ({ attemptId, why }: Extract<Stored, { type: 'ReviewRequested' }>['data']): boolean =>
  attemptId === undefined && why !== 'budget';

/** What people made of a review: `stop` and `give_up` let nothing go on. */
function decided({ verdict, then, by, edits }: Extract<Stored, { type: 'VerdictApplied' | 'VerdictCarried' }>['data']) {
  const outcome: BranchDiffStep['outcome'] =
    verdict === 'expired' ? 'expired' : then === 'stop' || then === 'give_up' ? 'failed' : 'succeeded';
  return { outcome, verdict: { verdict, by, ...(edits === undefined ? {} : { edits: edits as unknown as Json }) } };
}

/** What a branch was opened with for steps that neither run nor wait there: their outputs, given by hand. */
function givenBy({ data: { changes } }: Extract<Stored, { type: 'BranchOpened' }>): [string, Json][] {
  return changes.flatMap((op) => {
    const [slice, step] = pointerParts(op.path);
    return slice === 'outputs' && step !== undefined && op.op !== 'remove' ? [[step, op.value] as [string, Json]] : [];
  });
}

function givenTo(course: Course | undefined, at: Instant, output: Json): Course {
  const { failure: _, verdict: __, ...begun } = course ?? { startedAt: at, attempts: 0, usd: 0, outcome: 'given' };
  return { ...begun, endedAt: at, outcome: 'given', output: digestOfValue(output) };
}

function stepOf({ startedAt, endedAt, usd, ...told }: Course): BranchDiffStep {
  return { ...told, usd: rounded(usd), seconds: endedAt === undefined ? null : secondsOf(epochMsOf(endedAt) - epochMsOf(startedAt)) };
}

const outputOf = ({ output, outputRef }: { readonly output?: Json; readonly outputRef?: ArtifactRef }): string =>
  outputRef?.artifact ?? digestOfValue(output ?? null);

/** What a shadow took for the output of an effect; what it took over from the head, or did not send, is no other output than the head's. */
const assumed = (stub: Extract<Stored, { type: 'StepStubbed' }>['data']): { readonly output?: string } =>
  stub.from === 'head' || stub.from === 'unsent' ? {} : { output: outputOf(stub) };

/** What came to a wait, as far as it tells two paths apart. */
function triggered({ data: { trigger, at, ...came } }: Extract<Stored, { type: 'WaitTriggered' }>) {
  return { trigger, at, data: came.data ?? came.dataRef?.artifact ?? null };
}

/** What a path has cost. */
export function usdOf(events: readonly Stored[]): number {
  let usd = 0;
  for (const event of events)
    if (event.type === 'StepSucceeded' || event.type === 'StepFailed' || event.type === 'LateResultRecorded')
      usd += event.data.usage?.usd ?? 0;
  return rounded(usd);
}
