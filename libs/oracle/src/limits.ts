import { canon, CLOCK_SKEW_MS, epochMsOf } from '@cairn/kernel';
import { APPEND_BYTES_MAX, EVENT_BYTES_MAX } from '@cairn/ports';
import type { Limits } from './history.js';
import type { Branch } from './branch.js';
import type { Report } from './report.js';

/** The limits of I-34 and I-35 as `reliability.md` states them. */
export const defaultLimits: Limits = {
  branchEvents: 50_000,
  branchBytes: 64 * 1_048_576,
  eventBytes: EVENT_BYTES_MAX,
  appendBytes: APPEND_BYTES_MAX,
  outputBytes: 65_536,
  waitEvents: 6,
  branches: 50,
  skewMs: CLOCK_SKEW_MS,
  overdueMs: 2 * CLOCK_SKEW_MS + CLOCK_SKEW_MS,
};

/** I-34: nothing in a history grows beyond what its readers were built for. */
export function checkSizes(branch: Branch, limits: Limits, report: Report): void {
  let branchBytes = 0;
  const appends = new Map<number, number>();
  for (const { revision, body, metadata } of branch.stored) {
    const bytes = Buffer.byteLength(body, 'utf8');
    branchBytes += bytes;
    if (bytes > limits.eventBytes) report('I-34', revision, `the event has ${bytes} bytes, at most ${limits.eventBytes}`);
    appends.set(metadata.appendFirst, (appends.get(metadata.appendFirst) ?? 0) + bytes);
  }
  for (const [first, bytes] of appends) {
    if (bytes > limits.appendBytes) report('I-34', first, `the append has ${bytes} bytes, at most ${limits.appendBytes}`);
  }
  if (branch.stored.length > limits.branchEvents) report('I-34', 0, `${branch.stored.length} events, at most ${limits.branchEvents}`);
  if (branchBytes > limits.branchBytes) report('I-34', 0, `${branchBytes} bytes, at most ${limits.branchBytes}`);
  checkOutputs(branch, limits, report);
  checkWaitsAreQuiet(branch, limits, report);
}

function checkOutputs(branch: Branch, limits: Limits, report: Report): void {
  for (const event of branch.events) {
    if (event.type !== 'StepSucceeded' || event.data.output === undefined) continue;
    const bytes = Buffer.byteLength(canon(event.data.output), 'utf8');
    if (bytes > limits.outputBytes)
      report('I-34', event.revision, `an output of ${bytes} bytes stands in the event; from ${limits.outputBytes} on by reference`);
  }
}

/** Waiting writes nothing: an opening costs a fixed number of events and one per trigger that came, however long it lasts. */
function checkWaitsAreQuiet(branch: Branch, limits: Limits, report: Report): void {
  const counts = new Map<string, number>();
  for (const event of branch.events) {
    if (event.type === 'WaitOpened')
      counts.set(event.data.waitId, 1); // Its checkpoint is the other of the first two.
    else if (
      event.type === 'WaitSatisfied' ||
      event.type === 'WaitExpired' ||
      event.type === 'WaitWithdrawn' ||
      event.type === 'WaitStale'
    ) {
      const count = (counts.get(event.data.waitId) ?? 0) + 1;
      counts.set(event.data.waitId, count);
      if (count === limits.waitEvents)
        report('I-34', event.revision, `wait ${event.data.step} added more than ${limits.waitEvents} events beside its triggers`);
    }
  }
}

/** I-35: the writers of one stream differ by the tolerated skew at most. */
export function checkTimes(branch: Branch, limits: Limits, report: Report): void {
  let latest = -Infinity;
  for (const { revision, at } of branch.stored) {
    const ms = epochMsOf(at);
    if (ms < latest - limits.skewMs)
      report('I-35', revision, `${at} is ${latest - ms} ms before an earlier event, at most ${limits.skewMs}`);
    latest = Math.max(latest, ms);
  }
}
