import { describe, expect, it } from '@jest/globals';
import { idOf, runStream, sealAppend } from '@cairn/kernel';
import { SchedulingSet } from './scheduling-set.js';

const RUN = idOf('run', 'default', 'w', 'k');
const notBefore = '2026-01-01T00:00:05.000Z';
const context = {
  stream: runStream(RUN, 'main'),
  expected: 7,
  prevHash: '',
  ns: 'default',
  runId: RUN,
  branch: 'main',
  at: '2026-01-01T00:00:00.000Z',
  actor: 'policy:default@1',
  causationId: 'c',
};

describe('retries that are owed at a time', () => {
  it.each([
    ['retry', true],
    ['retry_modified', true], // On the branch that it opens: whose head that is execution knows.
    ['fallback', false],
    ['escalate', false],
  ])('are remembered of a decision %s: %s', (decision, remembered) => {
    const set = new SchedulingSet();
    const attemptId = idOf('attempt', 'x', 'a', 1);
    const justification = { rule: 'r', newEvidence: [], expectedChange: null };
    const policy = { name: 'default', version: 1, hash: 'sha256:0', revision: 0 };
    const data = { step: 'a', attemptId, bucket: 'timeout', decision, justification, policy, notBefore };
    for (const event of sealAppend(context, [{ type: 'RetryDecided', version: 1, data }])) set.fold(event);
    expect(set.retries.get(attemptId)?.notBefore).toBe(remembered ? notBefore : undefined);
  });
});

describe('a wait that is rescheduled', () => {
  it('stays open, with what has come and the new time', () => {
    const set = new SchedulingSet();
    const waitId = idOf('wait', RUN, 'a');
    const opened = (deadline: string) => ({
      type: 'WaitOpened',
      version: 1,
      data: {
        waitId,
        step: 'a',
        mode: 'all',
        k: 2,
        triggers: [
          { kind: 'signal', name: 'x' },
          { kind: 'signal', name: 'y' },
        ],
        deadline,
      },
    });
    const events = [
      opened(notBefore),
      { type: 'WaitTriggered', version: 1, data: { waitId, step: 'a', trigger: 1, eventId: 'e', at: notBefore } },
      { type: 'WaitWithdrawn', version: 1, data: { waitId, step: 'a', because: 'rescheduled', reason: 'slow' } },
      opened('2026-01-02T00:00:00.000Z'),
    ];
    for (const event of sealAppend(context, events)) set.fold(event);
    expect(set.waits.get(waitId)).toMatchObject({ deadline: '2026-01-02T00:00:00.000Z' });
    expect([...(set.waits.get(waitId)?.gotTriggers ?? [])]).toEqual([1]);
  });
});
