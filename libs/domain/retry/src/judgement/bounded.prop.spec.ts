import { describe, expect, it } from '@jest/globals';
import { applyPatch, buckets, expectations, type Evidence, type JsonPatchOp } from '@cairn/domain-definition';
import { after, epochMsOf, type Instant, type Json } from '@cairn/kernel';
import fc from 'fast-check';
import { compilePolicy } from '../policy/compile.js';
import { ATTEMPTS_MAX } from '../policy/limits.js';
import type { PolicyState } from '../policy/evolve.js';
import type { Work } from './changed-work.js';
import type { FailedAttempt } from './failed-attempt.js';
import { judgeFailure } from './judge-failure.js';
import type { JudgedFailure } from './normalise/failure.js';
import { waysLeft, type DeclaredWays } from './ways-on.js';

/**
 * Goal: no policy that is accepted can make a run retry for ever (C-BOUND, P-6). Method: policies from the whole language, sound or not;
 * of those that compile, a step that fails at every attempt with whatever failures, and as soon as it may, that declares alternatives and
 * reduced paths, and whose params a changed retry changes. Its attempts end within the rule's number for each alternative and within the
 * limits over all of them, in a decision after which nothing is tried; each way is gone once, none while an effect is in doubt; and each
 * judgement made again is equal.
 */
const mostly = <T>(sound: fc.Arbitrary<T>, odd: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 80, arbitrary: sound }, { weight: 1, arbitrary: fc.constant(odd) });
const duration = mostly<Json>(fc.oneof(fc.integer({ min: 100, max: 1e8 }), fc.constantFrom('1s', '10m', '6h', '7d')), '31d');
const pause = mostly<Json>(fc.oneof(fc.integer({ min: 100, max: 1e6 }), fc.constantFrom('1s', '10m')), -10);
/** Few, so that policies have rules for what fails. */
const bucket = fc.constantFrom<string>(...buckets.slice(0, 2), 'timeout', 'context_length', 'tool_error', 'x-own');
const common = {
  first: pause,
  cap: mostly<Json>(fc.constantFrom('1h', '7d', 1e6), 1),
  jitter: mostly(fc.double({ min: 0, max: 1, noNaN: true }), 1.2),
};
const backoff = fc.oneof(
  fc.record({ kind: mostly(fc.constantFrom('fixed', 'linear'), 'other'), ...common }, { requiredKeys: ['kind', 'first'] }),
  fc.record(
    { kind: fc.constant('exponential'), factor: mostly(fc.double({ min: 1, max: 10, noNaN: true }), 12), ...common },
    { requiredKeys: ['kind', 'first'] },
  ),
);
const change: fc.Arbitrary<Json> = fc.oneof(
  fc.record({
    op: fc.constantFrom('replace', 'add'),
    path: fc.constantFrom('/params/scale', '/params/more/-'),
    value: fc.integer({ max: 3, min: 0 }),
  }),
  fc.record({ op: fc.constant('test'), path: fc.constant('/params/scale'), value: fc.constantFrom(0, 1) }),
  fc.record({ op: fc.constant('replace'), path: fc.constant('/queue'), value: fc.constantFrom('q', 'q1', 'elsewhere') }),
  fc.record({ op: fc.constant('remove'), path: fc.constantFrom('/params/scale', '/params') }),
);
const rule = fc.oneof(
  fc.record({ retry: fc.constant(false), escalate: fc.constant('ops') }, { requiredKeys: ['retry'] }),
  fc.record(
    {
      retry: fc.constant('modified'),
      attempts: mostly<Json>(fc.integer({ min: 1, max: 20 }), 1e9),
      expects: fc.constant('changed_input'),
      modify: fc.array(change, { minLength: 1, maxLength: 3 }),
      backoff,
      elapsed: duration,
      needsNewEvidence: fc.boolean(),
    },
    { requiredKeys: ['retry', 'attempts', 'expects', 'modify'] },
  ),
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
      .dictionary(bucket, fc.oneof(rule, fc.array(rule, { minLength: 1, maxLength: 3 })), {
        maxKeys: 6,
      })
      .map((rules) => ({ unclassified: { retry: false, escalate: 'triage' }, ...rules })),
    limits: fc.record(
      {
        perStep: mostly(fc.integer({ min: 1, max: 50 }), 55),
        perRun: mostly(fc.integer({ min: 1, max: 500 }), 0),
        elapsed: duration,
        usd: mostly(fc.integer({ min: 0, max: 30 }), -1),
      },
      { requiredKeys: [] },
    ),
    onExhausted: fc
      .tuple(
        fc.array(fc.constantFrom<Json>('fallback', 'fallback', 'reduce', 'reduce:short', 'reduce:nobody'), { maxLength: 4 }),
        mostly<Json>(fc.constantFrom<Json>({ review: 'recovery' }, 'give_up', 'block'), 'fallback'),
      )
      .map(([ways, end]) => [...ways, end]),
  },
  { requiredKeys: ['cairn', 'policy', 'buckets', 'onExhausted'] },
);
const failure: fc.Arbitrary<JudgedFailure> = fc.record(
  {
    by: fc.constantFrom('handler', 'lease', 'timeout', 'decider'),
    bucket: mostly(bucket, 'nonsense'),
    code: fc.constantFrom('429', '503', 'ECONNRESET', 'E1'),
    message: fc.constantFrom('slow down', 'timed out', 'deadlock detected', 'odd'),
    sideEffect: fc.constantFrom('none', 'none', 'none', 'none', 'unknown'),
    retryAfter: fc.constantFrom('2026-11-24T08:00:30Z', '2026-11-24T20:00:00Z', '2027-11-24T08:00:00Z', 'soon'),
  },
  { requiredKeys: ['by'] },
);
const declared: fc.Arbitrary<DeclaredWays> = fc.record({
  queue: fc.constant('q'),
  fallback: fc
    .integer({ min: 0, max: 5 })
    .map((n) => ['q1', 'q2', 'q3', 'q4', 'q5'].slice(0, n).map((queue) => ({ queue, params: false }))),
  reduced: fc.subarray([
    { id: 'other', drops: ['else'] },
    { id: 'long', drops: ['step', 'else'] },
    { id: 'short', drops: ['step'] },
  ]),
});
const startedAt = '2026-11-24T08:00:00.000Z';

/** A step that never succeeds, up to the decision after which nothing tries it again. */
function untilTheEnd(
  policy: PolicyState,
  failures: readonly JudgedFailure[],
  ways: DeclaredWays,
): { attempts: number; decisions: string[]; lasted: number } {
  const { limits } = policy.policy;
  const earlier: Evidence[] = [];
  const decisions: string[] = [];
  let work: Work = { input: {}, params: { scale: 1, more: [] }, queue: 'q' };
  let failedAt: Instant = startedAt;
  let [taken, here, firstHere, inDoubt] = [0, 0, '', false];
  for (let attempt = 1; ; attempt++) {
    here += 1;
    if (here === 1) firstHere = failedAt;
    const failed: FailedAttempt = {
      failure: failures[attempt % failures.length]!,
      attempt,
      failedEventId: `e${attempt}`,
      failedAt,
      firstFailedAt: startedAt,
      ...(taken === 0 ? {} : { since: { attempt: here, firstFailedAt: firstHere } }),
      failedInRun: attempt,
      earlier: [...earlier],
      guarantee: 'idempotent',
      inDoubt,
      usd: attempt,
      ways: waysLeft('step', ways, { fallback: taken, reduced: [] }),
      work,
      queues: ['q', ...ways.fallback.map(({ queue }) => queue)],
    };
    const judgement = judgeFailure(failed, policy);
    expect(judgeFailure(failed, policy)).toEqual(judgement);
    inDoubt ||= failed.failure.sideEffect === 'unknown';
    decisions.push(judgement.decision);
    const lasted = epochMsOf(failedAt) - epochMsOf(startedAt);
    const { decision, justification } = judgement;
    if (!ON.includes(decision) || attempt > limits.perStep) return { attempts: attempt, decisions, lasted };

    expect(justification.expectedChange).not.toBeNull();
    if (decision !== 'reduce_scope') expect(attempt).toBeLessThanOrEqual(limits.usd ?? Infinity);
    if (decision !== 'retry') expect(inDoubt).toBe(false);
    if (decision === 'reduce_scope') return { attempts: attempt, decisions, lasted };
    if (decision === 'retry') expect(epochMsOf(judgement.notBefore)).toBeGreaterThan(epochMsOf(failedAt));
    if (decision === 'fallback') {
      expect(judgement.change).toEqual({ fallback: taken });
      [taken, here, work] = [taken + 1, 0, { ...work, queue: ways.fallback[taken]!.queue }];
    }
    if (decision === 'retry_modified') {
      const patched = applyPatch({ ...work }, judgement.change['patch'] as unknown as JsonPatchOp[]);
      expect(patched).toMatchObject({ ok: true });
      if (patched.ok) expect(patched.value).not.toEqual(work);
      if (patched.ok) work = patched.value as unknown as Work;
    }
    expect(here).toBeLessThanOrEqual(ATTEMPTS_MAX);
    earlier.push(...justification.newEvidence);
    failedAt = after('notBefore' in judgement ? (judgement.notBefore ?? failedAt) : failedAt, 0);
  }
}

const ON = ['retry', 'retry_modified', 'fallback', 'reduce_scope'];

describe('an accepted policy', () => {
  it('is bounded, whatever fails how often, and always ends somewhere', () => {
    const seen = new Map<string, number>();
    let accepted = 0;
    fc.assert(
      fc.property(document, fc.array(failure, { minLength: 1, maxLength: 6 }), declared, (text, failures, ways) => {
        const compiled = compilePolicy(text);
        if (!compiled.ok) return;
        accepted += 1;
        const { policy, hash } = compiled;
        const { attempts, decisions, lasted } = untilTheEnd({ name: 'fuzzed', version: 1, hash, revision: 0, policy }, failures, ways);
        for (const decision of decisions) seen.set(decision, (seen.get(decision) ?? 0) + 1);
        expect(attempts).toBeLessThanOrEqual(Math.min(policy.limits.perStep, policy.limits.perRun));
        expect(attempts).toBeLessThanOrEqual(ATTEMPTS_MAX * (ways.fallback.length + 1));
        expect(lasted).toBeLessThanOrEqual(policy.limits.elapsed);
        expect(['escalate', 'block', 'give_up', 'reduce_scope']).toContain(decisions.at(-1));
      }),
      { numRuns: 1_500 },
    );
    expect(accepted).toBeGreaterThan(150); // Else the property would say little,
    expect([...seen.keys()].sort()).toEqual(['block', 'escalate', 'fallback', 'give_up', 'reduce_scope', 'retry', 'retry_modified']); // and of each kind.
  });
});
