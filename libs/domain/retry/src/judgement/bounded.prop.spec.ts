import { describe, expect, it } from '@jest/globals';
import { buckets, expectations, type Evidence } from '@cairn/domain-definition';
import { after, epochMsOf, type Instant, type Json } from '@cairn/kernel';
import fc from 'fast-check';
import { compilePolicy } from '../policy/compile.js';
import { ATTEMPTS_MAX } from '../policy/limits.js';
import type { PolicyState } from '../policy/evolve.js';
import type { FailedAttempt } from './failed-attempt.js';
import { judgeFailure } from './judge-failure.js';
import type { JudgedFailure } from './normalise/failure.js';

/**
 * Goal: no policy that is accepted can make a run retry for ever (C-BOUND, P-6). Method: policies from the whole language, sound or not;
 * of those that compile, a step that fails at every attempt with whatever failures, and as soon as it may. Its attempts end within the
 * rule's number and the limits, in a decision that is no retry, and each judgement made again is equal.
 */
const duration = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 100, max: 1e8 }) },
  { weight: 9, arbitrary: fc.constantFrom('1s', '10m', '6h', '7d') },
  { weight: 1, arbitrary: fc.constantFrom<Json>(-10, 0, 9e8, '31d') },
);
const mostly = <T>(sound: fc.Arbitrary<T>, odd: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 15, arbitrary: sound }, { weight: 1, arbitrary: fc.constant(odd) });
const backoff = fc.record(
  {
    kind: mostly(fc.constantFrom('fixed', 'linear', 'exponential'), 'other'),
    first: duration,
    cap: duration,
    factor: mostly(fc.double({ min: 1, max: 10, noNaN: true }), 12),
    jitter: mostly(fc.double({ min: 0, max: 1, noNaN: true }), 1.2),
  },
  { requiredKeys: ['kind', 'first'] },
);
const rule = fc.oneof(
  fc.record({ retry: fc.constant(false), escalate: fc.constant('ops') }),
  fc.record(
    {
      retry: fc.constant(true),
      attempts: mostly<Json>(fc.integer({ min: 1, max: 20 }), 1e9),
      expects: mostly<string>(fc.constantFrom(...expectations), 'luck'),
      backoff: fc.oneof(backoff, fc.record({ from: fc.constant('retryAfter'), else: backoff })),
      elapsed: duration,
      needsNewEvidence: fc.boolean(),
      codes: fc.constantFrom(['429'], ['E1', '503']),
      where: fc.constantFrom("failure.bucket == 'timeout'", 'failure.nothing', 'true'),
    },
    { requiredKeys: ['retry', 'attempts', 'expects', 'backoff'] },
  ),
);
const document = fc.record(
  {
    cairn: fc.constant(1),
    policy: fc.constant('fuzzed'),
    buckets: fc
      .dictionary(fc.constantFrom<string>(...buckets, 'x-own'), fc.oneof(rule, fc.array(rule, { minLength: 1, maxLength: 3 })), {
        maxKeys: 6,
      })
      .map((rules) => ({ unclassified: { retry: false, escalate: 'triage' }, ...rules })),
    limits: fc.record(
      { perStep: mostly(fc.integer({ min: 1, max: 50 }), 55), perRun: mostly(fc.integer({ min: 1, max: 500 }), 0), elapsed: duration },
      { requiredKeys: [] },
    ),
    onExhausted: fc.constantFrom<Json>([{ review: 'recovery' }], ['fallback', 'give_up'], ['block'], []),
  },
  { requiredKeys: ['cairn', 'policy', 'buckets', 'onExhausted'] },
);
const failure: fc.Arbitrary<JudgedFailure> = fc.record(
  {
    by: fc.constantFrom('handler', 'lease', 'timeout', 'decider'),
    bucket: fc.constantFrom<string>(...buckets, 'x-own', 'nonsense'),
    code: fc.constantFrom('429', '503', 'ECONNRESET', 'E1'),
    message: fc.constantFrom('slow down', 'timed out', 'deadlock detected', 'odd'),
    retryAfter: fc.constantFrom('2026-11-24T08:00:30Z', '2026-11-24T20:00:00Z', '2027-11-24T08:00:00Z', 'soon'),
  },
  { requiredKeys: ['by'] },
);
const startedAt = '2026-11-24T08:00:00.000Z';

/** Attempts that a step makes that never succeeds. */
function attemptsOf(policy: PolicyState, failures: readonly JudgedFailure[]): { attempts: number; last: string; lasted: number } {
  const earlier: Evidence[] = [];
  let failedAt: Instant = startedAt;
  for (let attempt = 1; ; attempt++) {
    const failed: FailedAttempt = {
      failure: failures[attempt % failures.length]!,
      attempt,
      failedEventId: `e${attempt}`,
      failedAt,
      firstFailedAt: startedAt,
      failedInRun: attempt,
      earlier: [...earlier],
    };
    const judgement = judgeFailure(failed, policy);
    expect(judgeFailure(failed, policy)).toEqual(judgement);
    const lasted = epochMsOf(failedAt) - epochMsOf(startedAt);
    if (judgement.decision !== 'retry') return { attempts: attempt, last: judgement.decision, lasted };
    if (attempt > ATTEMPTS_MAX) return { attempts: attempt, last: 'retry', lasted };
    expect(epochMsOf(judgement.notBefore)).toBeGreaterThan(epochMsOf(failedAt));
    expect(judgement.justification.expectedChange).not.toBeNull();
    earlier.push(...judgement.justification.newEvidence);
    failedAt = after(judgement.notBefore, 0);
  }
}

describe('an accepted policy', () => {
  it('is bounded, whatever fails how often', () => {
    let accepted = 0;
    fc.assert(
      fc.property(document, fc.array(failure, { minLength: 1, maxLength: 6 }), (text, failures) => {
        const compiled = compilePolicy(text);
        if (!compiled.ok) return;
        accepted += 1;
        const { policy, hash } = compiled;
        const { attempts, last, lasted } = attemptsOf({ name: 'fuzzed', version: 1, hash, revision: 0, policy }, failures);
        expect(attempts).toBeLessThanOrEqual(Math.min(ATTEMPTS_MAX, policy.limits.perStep, policy.limits.perRun));
        expect(lasted).toBeLessThanOrEqual(policy.limits.elapsed);
        expect(['escalate', 'block', 'give_up']).toContain(last);
      }),
      { numRuns: 600 },
    );
    expect(accepted).toBeGreaterThan(50); // Else the property would say little.
  });
});
