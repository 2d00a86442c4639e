import { describe, expect, it } from '@jest/globals';
import { idOf, runStream, sealAppend, type DomainEvent, type JsonObject, type StoredEvent } from '@cairn/kernel';
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
  kind: fc.constantFrom('fail', 'fail', 'fail', 'decide', 'fall_back', 'reduce', 'end'),
  code: fc.constantFrom('503', '429'),
});

type Happening = { readonly run: number; readonly step: string; readonly kind: string; readonly code: string };

/** A history as the tail gives it: only attempts that failed are decided, a way on opens a branch, nothing follows an end. */
function historyOf(happenings: readonly Happening[]): readonly StoredEvent[] {
  const events: StoredEvent[] = [];
  const runs = RUNS.map(() => ({
    branches: [{ name: 'main', prevHash: '', revision: -1 }],
    failed: new Map<string, number>(),
    open: new Map<string, string>(),
    ways: 0,
    over: false,
  }));
  const append = (run: number, event: DomainEvent): void => {
    const branch = runs[run]!.branches.at(-1)!;
    const [sealed] = sealAppend(
      {
        stream: runStream(RUNS[run]!, branch.name),
        expected: branch.revision < 0 ? 'no_stream' : branch.revision,
        prevHash: branch.prevHash,
        ns: 'default',
        runId: RUNS[run]!,
        branch: branch.name,
        at: `2026-01-01T00:00:00.${String(events.length).padStart(3, '0')}Z`,
        actor: 'service:execution',
        causationId: 'c',
      },
      [event],
    );
    if (sealed === undefined) return;
    Object.assign(branch, { prevHash: sealed.metadata.hash, revision: sealed.revision });
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
        data: { step: of, attemptId, failure: { by: 'handler', code, message: '', sideEffect: code === '429' ? 'unknown' : 'none' } },
      });
    } else if (DECISIONS.has(kind) && open !== undefined) {
      state.open.delete(of);
      const justification = { rule: 'r', newEvidence: [{ code }], expectedChange: 'time_passes' };
      const change = kind === 'fall_back' ? { fallback: state.ways++ } : kind === 'reduce' ? { reduce: `path-${state.ways++}` } : undefined;
      const decision = DECISIONS.get(kind) ?? null;
      append(run, {
        type: 'RetryDecided',
        version: 1,
        data: { step: of, attemptId: open, bucket: 'x-a', decision, justification, ...(change === undefined ? {} : { change }) },
      });
      if (change === undefined) continue;
      const name = `b${state.branches.length + 1}`;
      append(run, { type: 'BranchSuperseded', version: 1, data: { successor: name, spec: {} } });
      state.branches.push({ name, prevHash: '', revision: -1 });
      append(run, { type: 'BranchOpened', version: 1, data: { cause: 'fallback', actor: 'policy:default@1', changes: [], shadow: false } });
    } else if (kind === 'end') {
      state.over = true;
      append(run, { type: 'RunFailed', version: 1, data: { bucket: 'timeout', message: 'over' } });
    }
  }
  return events;
}

const DECISIONS: ReadonlyMap<string, string> = new Map([
  ['decide', 'retry'],
  ['fall_back', 'fallback'],
  ['reduce', 'reduce_scope'],
]);

const known = (failures: Failures): unknown => failures.all().map((one) => ({ ...one, failure: undefined, shown: failures.shown(one) }));

function folded(events: readonly StoredEvent[]): Failures {
  const failures = new Failures();
  for (const event of events) failures.fold(event);
  return failures;
}

const at = (run: number, of: string, kind: string, code = '503'): Happening => ({ run, step: of, kind, code });

describe('the failures that nobody has judged', () => {
  it('count attempts, failures of the run and what was shown, each run by itself', () => {
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

  it('count over all branches of the run, and beside that since a step took an alternative, in each of its turns', () => {
    const events = historyOf([
      at(0, 'poll#1', 'fail'),
      at(0, 'poll#1', 'decide'),
      at(0, 'poll#2', 'fail'),
      at(0, 'a', 'fail'),
      at(0, 'poll#2', 'fall_back'), // The failure of a is carried over: it is judged as before.
      at(0, 'poll#2', 'fail'),
      at(0, 'poll#2', 'decide'),
      at(0, 'poll#2', 'fail'),
      at(0, 'b', 'fail'),
      at(0, 'poll#3', 'fail'),
    ]);
    const since = (attempt: number, nth: number) => ({
      attempt,
      firstFailedAt: events.filter(({ type }) => type === 'StepFailed')[nth]?.at,
    });
    const [carried, second, other, third, ...more] = folded(events).all();
    expect(carried).toMatchObject({ branch: 'main', step: 'a', attempt: 1 });
    expect(second).toMatchObject({ branch: 'b2', step: 'poll#2', attempt: 3, failedInRun: 5, since: since(2, 3), taken: { fallback: 1 } });
    expect(other).toMatchObject({ branch: 'b2', step: 'b', attempt: 1, failedInRun: 6, taken: { fallback: 0, reduced: [] } });
    expect(other).not.toHaveProperty('since');
    expect(third).toMatchObject({ step: 'poll#3', attempt: 1, since: since(1, 6), taken: { fallback: 1 } });
    expect(more).toEqual([]);
  });

  it('know the reduced paths that were taken, and what earlier attempts left in doubt', () => {
    const events = historyOf([at(0, 'a', 'fail', '429'), at(0, 'a', 'reduce'), at(0, 'b', 'fail', '429'), at(0, 'a', 'fail')]);
    expect(folded(events).all()).toMatchObject([
      { step: 'b', taken: { fallback: 0, reduced: ['path-0'] }, inDoubt: false },
      { step: 'a', attempt: 2, inDoubt: true },
    ]);
  });

  it('count anew where a person has changed the step, and know the queue and the path that he took', () => {
    const events = [...historyOf([at(0, 'a', 'fail'), at(0, 'a', 'decide'), at(0, 'b', 'fail'), at(0, 'b', 'decide')])];
    const onBranch = (revision: number, type: string, data: JsonObject): StoredEvent => ({
      ...events[0]!,
      stream: runStream(RUNS[0]!, 'b2'),
      revision,
      type,
      data,
    });
    const changes = [
      { op: 'replace', path: '/steps/a/queue', value: 'other' },
      { op: 'add', path: '/scope', value: 'less' },
    ];
    const failed = (step: string): JsonObject => ({ step, attemptId: step, failure: { by: 'timeout', message: '', sideEffect: 'none' } });
    events.push(
      onBranch(0, 'BranchOpened', { shadow: false, actor: 'user:ana', changes }),
      onBranch(1, 'StepFailed', failed('a')),
      onBranch(2, 'StepFailed', failed('b')),
    );
    const [a, b] = folded(events).all();
    expect(a).toMatchObject({ attempt: 2, since: { attempt: 1 }, givenQueue: 'other', taken: { fallback: 0, reduced: ['less'] } });
    expect(b).toMatchObject({ attempt: 2 });
    expect(b).not.toHaveProperty('since');
    expect(known(folded([...events, ...events.slice(4)]))).toEqual(known(folded(events)));
  });

  it('are not over when a branch ends that acts on nothing', () => {
    const events = [...historyOf([at(0, 'a', 'fail')])];
    const onShadow = (revision: number, type: string, data: JsonObject): StoredEvent => ({
      ...events[0]!,
      stream: runStream(RUNS[0]!, 'b2'),
      revision,
      type,
      data,
    });
    events.push(onShadow(0, 'BranchOpened', { shadow: true }), onShadow(1, 'RunCompleted', { outcome: 'succeeded' }));
    expect(folded(events).all()).toMatchObject([{ branch: 'main', step: 'a' }]);
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
