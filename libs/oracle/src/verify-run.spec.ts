import { describe, expect, it } from '@jest/globals';
import { invariants, printViolation, type RunHistory, type Violation } from './history.js';
import { defaultLimits } from './limits.js';
import { breaks, broken, mainOf, withMain } from './spec/breaks.js';
import { first, resealed, there } from './spec/editing.js';
import { billedHistory, cancelledHistory, doubtedHistory, payingHistory } from './spec/good-effects.js';
import { recoveredHistory } from './spec/good-branches.js';
import { reviewedHistory, withdrawnHistory } from './spec/good-reviews.js';
import { goodHistory, runId } from './spec/good-history.js';
import { verifyRun } from './verify-run.js';

const verify = (history: RunHistory): Violation[] => verifyRun(history, defaultLimits, 'quiescent');

describe('verifyRun', () => {
  it('finds nothing in a good history, live and quiescent', () => {
    expect(verifyRun(goodHistory(), defaultLimits, 'live')).toEqual([]);
    expect(verify(goodHistory())).toEqual([]);
  });

  it.each([
    ['paid and mailed', payingHistory],
    ['cancelled', cancelledHistory],
    ['in doubt', doubtedHistory],
    ['escalated', () => billedHistory('escalate')],
    ['given up', () => billedHistory('give_up')],
    ['recovered on a branch', () => recoveredHistory()],
    ['reviewed', reviewedHistory],
    ['cancelled under review', withdrawnHistory],
  ])('finds nothing in a good history that is %s, live and quiescent', (_is, good) => {
    expect(verifyRun(good(), defaultLimits, 'live')).toEqual([]);
    expect(verify(good())).toEqual([]);
  });

  it('finds nothing in the same history taken apart and sealed again', () => {
    const good = goodHistory();
    expect(resealed(mainOf(good), () => undefined)).toEqual(mainOf(good));
  });

  it('lets a handler choose its reply ids, which is how two replies of one attempt differ (W-4)', () => {
    const replied = resealed(mainOf(goodHistory()), (drafts) => {
      for (const draft of drafts) {
        const [first] = draft.events;
        if (first?.type === 'StepSucceeded') draft.cause = 'my reply';
        if (first?.type === 'LateResultRecorded') draft.cause = first.data['replyId'] = 'my other reply';
      }
    });
    expect(replied.some(({ causationId }) => causationId === 'my other reply')).toBe(true);
    expect(verify(withMain(goodHistory(), replied))).toEqual([]);
  });

  it.each(breaks)('$invariant fires, and nothing else: $by', (one) => {
    const found = verify(broken(one));
    expect([...new Set(found.map(({ invariant }) => invariant))]).toEqual([one.invariant]);
  });

  it.each(invariants.map((invariant) => [invariant]))('%s has a history that breaks it', (invariant) => {
    expect(breaks.some((one) => one.invariant === invariant)).toBe(true);
  });

  it('lets a run look back to the event that started it, however much later its first append was', () => {
    const good = goodHistory();
    const looksBack = resealed(mainOf(good), (drafts) =>
      Object.assign(first(drafts, 'WaitTriggered').data, { kept: true, at: '2026-11-23T08:59:20.000Z' }),
    );
    const { receiptId } = there(mainOf(good)[0]).data['cause'] as { receiptId: string };
    const asked = (good.inbox ?? []).map((event) =>
      event.type === 'EventReceived' && event.data['receiptId'] === receiptId ? { ...event, at: '2026-11-23T08:59:00.000Z' } : event,
    );
    expect(verify({ ...withMain(good, looksBack), inbox: asked })).toEqual([]);
  });

  it('asks for an end only of a quiescent run', () => {
    const unfinished = broken(breaks.find(({ invariant }) => invariant === 'I-31')!);
    expect(verifyRun(unfinished, defaultLimits, 'live')).toEqual([]);
  });

  it('prints what it found on one line', () => {
    const [violation] = verify(broken(breaks.find(({ invariant }) => invariant === 'I-10')!));
    expect(printViolation(runId, violation!)).toMatch(
      new RegExp(`^I-10 run=${runId} branch=main rev=17 StepSucceeded of b quotes attempt \\w+, which was over$`),
    );
  });

  it.each([
    ['waits', goodHistory],
    ['effects', payingHistory],
    ['a cancellation', cancelledHistory],
  ])('never throws, whatever an event of a history with %s holds', (_with, good) => {
    for (const { revision } of mainOf(good())) {
      const emptied = mainOf(good()).map((event) => (event.revision === revision ? { ...event, data: {} } : event));
      expect(verify(withMain(good(), emptied)).length).toBeGreaterThan(0);
    }
  });
});
