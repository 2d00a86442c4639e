import { describe, expect, it } from '@jest/globals';
import { idOf, runStream, sealAppend } from '@cairn/kernel';
import { SchedulingSet } from './scheduling-set.js';

const RUN = idOf('run', 'default', 'w', 'k');
const notBefore = '2026-01-01T00:00:05.000Z';

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
    const data = { step: 'a', attemptId, bucket: 'timeout', decision, justification, policy, notBefore };
    for (const event of sealAppend(context, [{ type: 'RetryDecided', version: 1, data }])) set.fold(event);
    expect(set.retries.get(attemptId)?.notBefore).toBe(remembered ? notBefore : undefined);
  });
});
