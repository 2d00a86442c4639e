import { describe, expect, it } from '@jest/globals';
import { canon, epochMsOf } from '@cairn/kernel';
import { defaultPolicy, hashPolicy } from '../policy/default-policy.js';
import type { PolicyState } from '../policy/evolve.js';
import { judgeFailure, type FailedAttempt } from './judge-failure.js';
import type { JudgedFailure } from './classify.js';

const policy: PolicyState = { name: 'default', version: 1, hash: hashPolicy(defaultPolicy), revision: 0, policy: defaultPolicy };
const failedAt = '2026-11-24T08:00:00.000Z';
const failed = (failure: JudgedFailure, attempt = 1, failedEventId = 'e1'): FailedAttempt => ({
  failure,
  attempt,
  failedEventId,
  failedAt,
});
const pauseOf = (attempt: number, id = 'e1'): number => {
  const judgement = judgeFailure(failed({ by: 'lease' }, attempt, id), policy);
  return 'notBefore' in judgement ? epochMsOf(judgement.notBefore) - epochMsOf(failedAt) : NaN;
};

describe('judging a failure', () => {
  it('tries a lost handler again, because another handler is a change', () => {
    expect(judgeFailure(failed({ by: 'lease' }), policy)).toMatchObject({
      bucket: 'handler_lost',
      decision: 'retry',
      justification: { rule: 'default@1#handler_lost', newEvidence: [{ code: 'handler_lost' }], expectedChange: 'another_handler' },
    });
  });

  it('counts the pause from the failure: 100 ms at first, doubled each time, never shorter', () => {
    for (const [attempt, declared] of [
      [1, 100],
      [2, 200],
      [3, 400],
      [4, 800],
    ] as const) {
      expect(pauseOf(attempt)).toBeGreaterThanOrEqual(declared);
      expect(pauseOf(attempt)).toBeLessThanOrEqual(declared * 1.2);
    }
  });

  it('gives the same pause for the same failure and others to others (W-5)', () => {
    expect(pauseOf(1, 'e1')).toBe(pauseOf(1, 'e1'));
    expect(new Set(['a', 'b', 'c', 'd', 'e'].map((id) => pauseOf(4, id))).size).toBeGreaterThan(1);
  });

  it('blocks after five attempts in all, and says by which rule', () => {
    expect(judgeFailure(failed({ by: 'lease' }, 5), policy)).toEqual({
      bucket: 'handler_lost',
      decision: 'block',
      justification: { rule: 'default@1#handler_lost', newEvidence: [{ code: 'handler_lost' }], expectedChange: null },
    });
  });

  it.each<[string, JudgedFailure, string]>([
    ['a hint of the handler', { by: 'handler', bucket: 'rate_limited' }, 'rate_limited'],
    ['an own bucket', { by: 'handler', bucket: 'x-odd' }, 'x-odd'],
    ['no hint', { by: 'handler', code: 'E42' }, 'unclassified'],
    ['a hint that is no bucket', { by: 'handler', bucket: 'handler lost' }, 'unclassified'],
    ['a timeout', { by: 'timeout', bucket: 'handler_lost' }, 'timeout'],
    ['a breach of the output schema', { by: 'decider', bucket: 'invalid_output' }, 'invalid_output'],
    ['an expression without an answer', { by: 'decider', code: 'definition_error' }, 'definition_error'],
  ])('blocks on %s: nothing is retried unasked', (_, failure, bucket) => {
    expect(judgeFailure(failed(failure), policy)).toMatchObject({
      bucket,
      decision: 'block',
      justification: { rule: `default@1#${bucket}`, expectedChange: null },
    });
  });

  it('counts the attempts of a handler that gives itself up like those of one that vanished', () => {
    expect(judgeFailure(failed({ by: 'handler', bucket: 'handler_lost' }, 5), policy).decision).toBe('block');
  });
});

describe('the default policy', () => {
  it('keeps its bytes: they are pinned by runs', () => {
    expect(hashPolicy(defaultPolicy)).toBe(HASH);
    expect(canon(defaultPolicy)).toContain(
      '"handler_lost":{"attempts":5,"backoff":{"cap":10000,"first":100,"kind":"exponential"},"expects":"another_handler","retry":true}',
    );
  });
});

const HASH = 'sha256:fd50cfb4086050419eed33d2e63c83d1b9099e4610cf6a632862e76510bf6ed0';
