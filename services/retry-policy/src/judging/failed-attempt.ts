import type { StepFailed, StepStarted } from '@cairn/domain-run';
import type { FailedAttempt } from '@cairn/domain-retry/decider';
import { runStream, type StoredEvent } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import type { Undecided } from './undecided-set.js';

/** Events that are read at once on the way back from a failure to its attempt's start: nearly always one read. */
const WINDOW = 128;

export interface ReadFailure extends FailedAttempt {
  readonly step: string;
  readonly attemptId: string;
}

/** The failure at that revision with the number of its attempt, or `undefined` if no `StepFailed` stands there. Throws `StoreFault`. */
export async function readFailure(store: EventStore, { runId, branch, revision }: Omit<Undecided, 'ns'>): Promise<ReadFailure | undefined> {
  const stream = runStream(runId, branch);
  const [event] = await store.read(stream, revision, revision);
  if (event?.type !== 'StepFailed') return undefined;
  const { step, attemptId, failure } = event.data as unknown as StepFailed['data'];
  for (let to = revision - 1; to >= 0; to -= WINDOW) {
    const started = (await store.read(stream, Math.max(0, to - WINDOW + 1), to)).find((earlier) => startsAttempt(earlier, attemptId));
    if (started === undefined) continue;
    const { attempt } = started.data as unknown as StepStarted['data'];
    return { step, attemptId, failure, attempt, failedEventId: event.eventId, failedAt: event.at };
  }
  return undefined;
}

const startsAttempt = ({ type, data }: StoredEvent, attemptId: string): boolean =>
  type === 'StepStarted' && data['attemptId'] === attemptId;
