import { describe, expect, it } from '@jest/globals';
import { idOf, runStream, sealAppend, type DomainEvent, type StoredEvent } from '@cairn/kernel';
import fc from 'fast-check';
import { Failures } from './failures.js';

/**
 * Goal: what is known of a failure follows from the history up to it, however the tail brings it. Method: histories of some runs whose
 * steps fail, are decided and end; folded once, folded with suffixes again, and put away and loaded in between.
 */
const RUNS = [1, 2, 3].map((n) => idOf('run', 'default', 'w', String(n)));
const step = fc.constantFrom('a', 'b', 'poll#2');
const happening = fc.record({
  run: fc.nat(2),
  step,
  kind: fc.constantFrom('fail', 'fail', 'decide', 'end'),
  code: fc.constantFrom('503', '429'),
});

/** A history as the tail gives it: only attempts that failed are decided, nothing follows an end. */
function historyOf(happenings: readonly { run: number; step: string; kind: string; code: string }[]): readonly StoredEvent[] {
  const events: StoredEvent[] = [];
  const runs = RUNS.map(() => ({
    prevHash: '',
    revision: -1,
    failed: new Map<string, number>(),
    open: new Map<string, string>(),
    over: false,
  }));
  const append = (run: number, event: DomainEvent): void => {
    const state = runs[run]!;
    const [sealed] = sealAppend(
      {
        stream: runStream(RUNS[run]!, 'main'),
        expected: state.revision < 0 ? 'no_stream' : state.revision,
        prevHash: state.prevHash,
        ns: 'default',
        runId: RUNS[run]!,
        branch: 'main',
        at: `2026-01-01T00:00:00.${String(events.length).padStart(3, '0')}Z`,
        actor: 'service:execution',
        causationId: 'c',
      },
      [event],
    );
    if (sealed === undefined) return;
    Object.assign(state, { prevHash: sealed.metadata.hash, revision: sealed.revision });
    events.push(sealed);
  };
  for (const { run, step: of, kind, code } of happenings) {
    const state = runs[run]!;
    const open = state.open.get(of);
    if (state.over) continue;
    if (kind === 'fail' && open === undefined) {
      const n = (state.failed.get(of) ?? 0) + 1;
      const attemptId = idOf('attempt', String(run), of, n);
      state.failed.set(of, n);
      state.open.set(of, attemptId);
      append(run, {
        type: 'StepFailed',
        version: 1,
        data: { step: of, attemptId, failure: { by: 'handler', code, message: '', sideEffect: 'none' } },
      });
    } else if (kind === 'decide' && open !== undefined) {
      state.open.delete(of);
      const justification = { rule: 'r', newEvidence: [{ code }], expectedChange: 'time_passes' };
      append(run, {
        type: 'RetryDecided',
        version: 1,
        data: { step: of, attemptId: open, bucket: 'x-a', decision: 'retry', justification },
      });
    } else if (kind === 'end') {
      state.over = true;
      append(run, { type: 'RunFailed', version: 1, data: { bucket: 'timeout', message: 'over' } });
    }
  }
  return events;
}

const known = (failures: Failures): unknown => failures.all().map((one) => ({ ...one, failure: undefined, shown: failures.shown(one) }));

function folded(events: readonly StoredEvent[]): Failures {
  const failures = new Failures();
  for (const event of events) failures.fold(event);
  return failures;
}

describe('the failures that nobody has judged', () => {
  it('count attempts, failures of the run and what was shown, each run by itself', () => {
    const at = (run: number, of: string, kind: string, code = '503') => ({ run, step: of, kind, code });
    const events = historyOf([
      at(0, 'a', 'fail'),
      at(1, 'a', 'fail'),
      at(0, 'a', 'decide'),
      at(0, 'b', 'fail'),
      at(0, 'a', 'fail'),
      at(0, 'a', 'decide', '429'),
      at(0, 'a', 'fail'),
    ]);
    const failures = folded(events);
    expect(failures.all()).toMatchObject([
      { runId: RUNS[1], step: 'a', attempt: 1, failedInRun: 1 },
      { runId: RUNS[0], step: 'b', attempt: 1, failedInRun: 2, firstFailedAt: events[3]?.at },
      { runId: RUNS[0], step: 'a', attempt: 3, failedInRun: 4, firstFailedAt: events[0]?.at },
    ]);
    expect(failures.all().map((one) => failures.shown(one))).toEqual([[], [], [{ code: '503' }, { code: '429' }]]);
  });

  it('are the same when a suffix comes again, and when the set was put away in between', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), fc.nat(), fc.nat(), (happenings, cut, again) => {
        const events = historyOf(happenings);
        const once = known(folded(events));
        const from = again % (events.length + 1);
        expect(known(folded([...events, ...events.slice(from)]))).toEqual(once);

        const middle = cut % (events.length + 1);
        const loaded = new Failures();
        loaded.deserialize(folded(events.slice(0, middle)).lines().join('\n'));
        for (const event of events.slice(middle)) loaded.fold(event);
        expect(known(loaded)).toEqual(once);
      }),
    );
  });
});
