import { describe, expect, it } from '@jest/globals';
import { after, canon, epochMsOf, type Instant } from '@cairn/kernel';
import { compilePolicy, hashPolicy } from '../policy/compile.js';
import { defaultPolicy } from '../policy/default-policy.js';
import type { RetryPolicyDocument } from '../policy/document.js';
import type { PolicyState } from '../policy/evolve.js';
import type { FailedAttempt } from './failed-attempt.js';
import { waysLeft, type TakenWays, type WaysOn } from './ways-on.js';
import { judgeFailure, type Judgement } from './judge-failure.js';
import type { JudgedFailure } from './normalise/failure.js';

const pinned = (policy: RetryPolicyDocument, version = 1): PolicyState => ({
  name: policy.policy,
  version,
  hash: hashPolicy(policy),
  revision: version - 1,
  policy,
});
const policy = pinned(defaultPolicy);
const failedAt = '2026-11-24T08:00:00.000Z';
const failed = (failure: JudgedFailure, rest: Partial<FailedAttempt> = {}): FailedAttempt => ({
  failure,
  attempt: 1,
  failedEventId: 'e1',
  failedAt,
  firstFailedAt: failedAt,
  failedInRun: 1,
  earlier: [],
  ...rest,
});
const lost: JudgedFailure = { by: 'lease' };
const limited: JudgedFailure = { by: 'handler', code: '429', message: 'slow down' };
const broken: JudgedFailure = { by: 'handler', code: '503', message: 'down' };

const http = (rest: object): PolicyState => {
  const compiled = compilePolicy({
    cairn: 1,
    policy: 'http',
    buckets: { unclassified: { retry: false, escalate: 'triage' } },
    onExhausted: ['fallback', 'reduce', 'give_up'],
    ...rest,
  });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  return pinned(compiled.policy, 4);
};
const timeout = { retry: true, attempts: 5, expects: 'time_passes', backoff: { kind: 'fixed', first: '1s', jitter: 0 } };
const startOf = (judgement: Judgement): Instant => ('notBefore' in judgement ? judgement.notBefore : '');
const waitMs = (judgement: Judgement): number => epochMsOf(startOf(judgement)) - epochMsOf(failedAt);

describe('a retry is an argument (C-WHYRETRY)', () => {
  it('names the rule, what is new and what will be different', () => {
    expect(judgeFailure(failed(lost), policy)).toMatchObject({
      bucket: 'handler_lost',
      decision: 'retry',
      justification: { rule: 'default@1#handler_lost', newEvidence: [{ code: 'handler_lost' }], expectedChange: 'another_handler' },
    });
  });

  it('counts as new what no earlier attempt has shown, and each part once', () => {
    const first = judgeFailure(failed(limited), policy).justification.newEvidence;
    expect(first).toEqual([{ code: '429', digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) }]);
    expect(judgeFailure(failed(limited, { attempt: 2, earlier: first }), policy)).toMatchObject({
      decision: 'retry',
      justification: { newEvidence: [] },
    });
    const later: JudgedFailure = { ...limited, retryAfter: '2026-11-24T08:00:07Z' };
    expect(judgeFailure(failed(later, { attempt: 2, earlier: first }), policy).justification.newEvidence).toEqual([
      { retryAfter: '2026-11-24T08:00:07.000Z' },
    ]);
  });

  it('escalates without new evidence where the rule needs some, to who is named there or to who triages', () => {
    const needy = { ...timeout, needsNewEvidence: true };
    const again = failed(
      { by: 'timeout' },
      { attempt: 2, earlier: judgeFailure(failed({ by: 'timeout' }), policy).justification.newEvidence },
    );
    const unclassified = { retry: false, escalate: 'triage' };
    expect(judgeFailure(failed({ by: 'timeout' }), http({ buckets: { timeout: needy, unclassified } })).decision).toBe('retry');
    expect(judgeFailure(again, http({ buckets: { timeout: needy, unclassified } }))).toMatchObject({
      decision: 'escalate',
      queue: 'triage',
      justification: { rule: 'http@4#timeout; no new evidence', newEvidence: [], expectedChange: null },
    });
    expect(judgeFailure(again, http({ buckets: { timeout: { ...needy, escalate: 'ops' }, unclassified } }))).toMatchObject({
      queue: 'ops',
    });
  });

  it('escalates where a stored rule expects nothing', () => {
    const rules = { ...defaultPolicy.buckets, timeout: { retry: true, attempts: 3, backoff: { kind: 'fixed', first: 100 } } } as const;
    expect(judgeFailure(failed({ by: 'timeout' }), pinned({ ...defaultPolicy, buckets: rules }))).toMatchObject({
      decision: 'escalate',
      queue: 'triage',
      justification: { rule: 'default@1#timeout; no expected change' },
    });
  });
});

describe('which failures (C-WHICH)', () => {
  it('retries under the default what may pass, and shows everything else to somebody', () => {
    const judged = ['rate_limited', 'upstream_5xx', 'network', 'conflict', 'model_output_invalid', 'auth', 'x-odd', 'unclassified'].map(
      (bucket) => [bucket, judgeFailure(failed({ by: 'handler', bucket }), policy).decision],
    );
    expect(Object.fromEntries(judged)).toEqual({
      rate_limited: 'retry',
      upstream_5xx: 'retry',
      network: 'retry',
      conflict: 'retry',
      model_output_invalid: 'retry',
      auth: 'escalate',
      'x-odd': 'escalate',
      unclassified: 'escalate',
    });
  });

  it('takes the first rule of a list that holds: by code, by condition', () => {
    const rules = [
      { ...timeout, codes: ['504'], attempts: 2 },
      { ...timeout, where: "failure.message.contains('warm') && failure.code == 'E1'" },
      { retry: false, escalate: 'ops' },
    ];
    const lists = http({ buckets: { timeout: rules, unclassified: { retry: false, escalate: 'triage' } } });
    const judged = (failure: Partial<JudgedFailure>): Judgement =>
      judgeFailure(failed({ by: 'handler', bucket: 'timeout', ...failure }), lists);
    expect(judged({ details: { status: 504 } }).justification.rule).toBe('http@4#timeout[0]');
    expect(judged({ code: 'E1', message: 'warming up' }).justification.rule).toBe('http@4#timeout[1]');
    expect(judged({ message: 'no code to look at' })).toMatchObject({
      decision: 'escalate',
      queue: 'ops',
      justification: { rule: 'http@4#timeout[2]' },
    });
  });

  it('treats what the policy does not name, and what none of its rules holds for, like the unrecognised', () => {
    expect(judgeFailure(failed(broken), http({}))).toMatchObject({
      bucket: 'upstream_5xx',
      decision: 'escalate',
      queue: 'triage',
      justification: { rule: 'http@4#unclassified' },
    });
  });

  it('never retries the unrecognised, whatever a stored policy says', () => {
    const hope = { retry: true, attempts: 3, expects: 'time_passes', backoff: { kind: 'fixed', first: 100 } } as const;
    const hopeful = pinned({ ...defaultPolicy, buckets: { unclassified: hope } });
    for (const failure of [{ by: 'handler', message: 'odd' }, lost] satisfies JudgedFailure[])
      expect(judgeFailure(failed(failure), hopeful).decision).not.toBe('retry');
  });

  it('leaves it to onExhausted where nothing is retried and nobody is named', () => {
    const unclassified = { retry: false, escalate: 'triage' };
    expect(judgeFailure(failed(broken), http({ buckets: { upstream_5xx: { retry: false }, unclassified } }))).toMatchObject({
      decision: 'give_up',
    });
  });
});

describe('an effect that may have happened', () => {
  it.each(['unknown', 'applied'] as const)('is never tried again: side effect %s', (sideEffect) => {
    const failure: JudgedFailure = { ...broken, sideEffect };
    const blocked = {
      bucket: 'effect_unknown',
      decision: 'block',
      justification: { rule: `default@1#effect_unknown; side effect ${sideEffect}`, expectedChange: null },
    };
    expect(judgeFailure(failed(failure, { guarantee: 'none' }), policy)).toMatchObject(blocked);
    expect(judgeFailure(failed(failure), policy)).toMatchObject(blocked);
    expect(judgeFailure(failed(failure, { guarantee: 'reconcile' }), policy)).toMatchObject(blocked);
  });

  it('is tried again where the target de-duplicates, and where it certainly did not happen', () => {
    expect(judgeFailure(failed({ ...lost, sideEffect: 'unknown' }, { guarantee: 'idempotent' }), policy).decision).toBe('retry');
    expect(judgeFailure(failed({ ...lost, sideEffect: 'none' }, { guarantee: 'none' }), policy).decision).toBe('retry');
  });
});

describe('how many (C-ATTEMPTS) and what after (C-EXHAUSTED)', () => {
  const exhausted = (rest: Partial<FailedAttempt>, failure: JudgedFailure = lost): unknown => {
    const { decision, justification, ...more } = judgeFailure(failed(failure, rest), policy);
    return [decision, 'queue' in more ? more.queue : undefined, justification.rule, justification.expectedChange];
  };

  it('ends with the attempts of the rule', () => {
    expect(judgeFailure(failed(lost, { attempt: 4 }), policy).decision).toBe('retry');
    expect(exhausted({ attempt: 5 })).toEqual(['escalate', 'recovery', 'default@1#handler_lost; attempts 5 of 5', null]);
  });

  it('ends with the attempts of the step', () => {
    const rules = { timeout: { ...timeout, attempts: 20 }, unclassified: { retry: false, escalate: 'triage' } };
    const few = http({ buckets: rules, limits: { perStep: 3 } });
    expect(judgeFailure(failed({ by: 'timeout' }, { attempt: 2 }), few).decision).toBe('retry');
    expect(judgeFailure(failed({ by: 'timeout' }, { attempt: 3 }), few)).toMatchObject({
      decision: 'give_up',
      justification: { rule: 'http@4#timeout; perStep 3 of 3' },
    });
  });

  it('ends with the failed attempts of the run', () => {
    expect(judgeFailure(failed(lost, { failedInRun: 24 }), policy).decision).toBe('retry');
    expect(exhausted({ failedInRun: 25 })).toEqual(['escalate', 'recovery', 'default@1#handler_lost; perRun 25 of 25', null]);
  });

  it('ends when the next attempt would start too long after the first failure', () => {
    const firstFailedAt = after(failedAt, -6 * 3_600_000);
    expect(exhausted({ firstFailedAt })).toEqual([
      'escalate',
      'recovery',
      expect.stringMatching(/^default@1#handler_lost; elapsed 21600\d\d\d of 21600000 ms$/),
      null,
    ]);
    const short = http({ buckets: { timeout: { ...timeout, elapsed: '2s' }, unclassified: { retry: false, escalate: 'triage' } } });
    expect(judgeFailure(failed({ by: 'timeout' }), short).decision).toBe('retry');
    expect(judgeFailure(failed({ by: 'timeout' }, { firstFailedAt: after(failedAt, -1_001) }), short)).toMatchObject({
      justification: { rule: 'http@4#timeout; elapsed 2001 of 2000 ms' },
    });
  });

  it('ends when the run has cost more than the policy gives', () => {
    const rules = { timeout, unclassified: { retry: false, escalate: 'triage' } };
    const dear = http({ buckets: rules, limits: { usd: 5 } });
    expect(judgeFailure(failed({ by: 'timeout' }, { usd: 5 }), dear).decision).toBe('retry');
    expect(judgeFailure(failed({ by: 'timeout' }, { usd: 5.5 }), dear)).toMatchObject({
      decision: 'give_up',
      justification: { rule: 'http@4#timeout; usd 5.5 of 5' },
    });
  });

  it.each([
    [{ review: 'recovery' }, { decision: 'escalate', queue: 'recovery' }],
    ['block', { decision: 'block' }],
    ['give_up', { decision: 'give_up' }],
  ])('passes over what step and workflow do not declare, to the end: %j', (end, outcome) => {
    expect(
      judgeFailure(failed(lost, { attempt: 5 }), pinned({ ...defaultPolicy, onExhausted: ['fallback', 'reduce:less', end as 'block'] })),
    ).toMatchObject(outcome);
  });
});

const declared = {
  queue: 'screening',
  fallback: [
    { queue: 'screen-b', params: false },
    { queue: 'screening', params: true },
  ],
  reduced: [
    { id: 'other', drops: ['else'] },
    { id: 'short', drops: ['screen', 'else'] },
    { id: 'shorter', drops: ['screen'] },
  ],
};
const ways = (taken: Partial<TakenWays> = {}): { readonly ways: WaysOn } => ({
  ways: waysLeft('screen', declared, { fallback: 0, reduced: [], ...taken }),
});

describe('declared alternatives (C-FALLBACK)', () => {
  const once = (rest: object = {}): PolicyState =>
    http({ buckets: { timeout: { ...timeout, attempts: 2 }, unclassified: { retry: false, escalate: 'triage' } }, ...rest });
  const end = { decision: 'give_up', justification: { rule: 'http@4#timeout; attempts 2 of 2', expectedChange: null } };
  const timedOut = (rest: Partial<FailedAttempt>): FailedAttempt => failed({ by: 'timeout' }, rest);

  it('are taken in their order once the tries of a rule are used, each once, with what is new and which queue is next', () => {
    const first = judgeFailure(timedOut({ attempt: 2, ...ways() }), once());
    expect(first).toEqual({
      bucket: 'timeout',
      decision: 'fallback',
      change: { fallback: 0 },
      justification: {
        rule: 'http@4#timeout; attempts 2 of 2',
        newEvidence: [{ code: 'timeout', digest: expect.any(String) }],
        expectedChange: 'another_handler: queue screen-b',
      },
    });
    const since = { attempt: 2, firstFailedAt: failedAt };
    expect(judgeFailure(timedOut({ attempt: 4, since, ...ways({ fallback: 1 }) }), once())).toMatchObject({
      decision: 'fallback',
      change: { fallback: 1 },
      justification: { expectedChange: 'changed_input: queue screening, other params' },
    });
    expect(
      judgeFailure(timedOut({ attempt: 6, since, ...ways({ fallback: 2 }) }), once({ onExhausted: ['fallback', 'give_up'] })),
    ).toMatchObject(end);
  });

  it('are tried as often, and after such pauses, as the step itself: a rule counts anew', () => {
    const since = (attempt: number, firstFailedAt = failedAt): Partial<FailedAttempt> => ({
      attempt: attempt + 2,
      since: { attempt, firstFailedAt },
    });
    const rules = { ...timeout, attempts: 3, elapsed: '10s', backoff: { kind: 'linear', first: '1s', jitter: 0 } };
    const patient = http({ buckets: { timeout: rules, unclassified: { retry: false, escalate: 'triage' } } });
    expect([1, 2].map((n) => waitMs(judgeFailure(timedOut(since(n)), patient)))).toEqual([1_000, 2_000]);
    expect(judgeFailure(timedOut(since(3)), patient).justification.rule).toBe('http@4#timeout; attempts 3 of 3');
    const long = after(failedAt, -60_000);
    expect(judgeFailure(timedOut({ ...since(1), firstFailedAt: long }), patient).decision).toBe('retry');
    expect(judgeFailure(timedOut({ ...since(1, long), firstFailedAt: long }), patient).justification.rule).toBe(
      'http@4#timeout; elapsed 61000 of 10000 ms',
    );
  });

  it.each<[string, object, Partial<FailedAttempt>, string]>([
    ['perStep', { perStep: 4 }, { attempt: 4, since: { attempt: 2, firstFailedAt: failedAt } }, 'perStep 4 of 4'],
    ['perRun', { perRun: 9 }, { attempt: 2, failedInRun: 9 }, 'perRun 9 of 9'],
    ['elapsed', { elapsed: '1m' }, { attempt: 2, firstFailedAt: after(failedAt, -60_001) }, 'elapsed 60001 of 60000 ms'],
    ['usd', { usd: 2 }, { attempt: 2, usd: 2.5 }, 'usd 2.5 of 2'],
  ])('are not taken beyond the limits of the policy, which count over all of them: %s', (_, limits, rest, limit) => {
    const policy = once({ limits, onExhausted: ['fallback', { review: 'recovery' }] });
    expect(judgeFailure(timedOut({ ...rest, ...ways() }), policy)).toMatchObject({
      decision: 'escalate',
      queue: 'recovery',
      justification: { rule: `http@4#timeout; attempts 2 of 2; no fallback: ${limit}`, expectedChange: null },
    });
  });

  it('are taken only where the policy says so, and in the place where it says so', () => {
    const decided = (onExhausted: unknown): string => judgeFailure(timedOut({ attempt: 2, ...ways() }), once({ onExhausted })).decision;
    expect([['give_up'], ['block'], ['reduce', 'fallback', 'block'], ['fallback', 'reduce', 'block']].map(decided)).toEqual([
      'give_up',
      'block',
      'reduce_scope',
      'fallback',
    ]);
  });

  it('follow a failure that is not retried, unless its rule names who is asked', () => {
    const rule = (rest: object): PolicyState =>
      http({ buckets: { auth: { retry: false, ...rest }, unclassified: { retry: false, escalate: 'triage' } } });
    const refused = failed({ by: 'handler', bucket: 'auth' }, ways());
    expect(judgeFailure(refused, rule({}))).toMatchObject({ decision: 'fallback', justification: { rule: 'http@4#auth' } });
    expect(judgeFailure(refused, rule({ escalate: 'ops' }))).toMatchObject({ decision: 'escalate', queue: 'ops' });
  });

  it('leave nothing behind that nobody knows the outcome of: an effect in doubt stays where it is', () => {
    const stays = { decision: 'give_up', justification: { rule: 'http@4#timeout; attempts 2 of 2; no fallback: side effect unknown' } };
    const effect = { attempt: 2, guarantee: 'idempotent', ...ways() } as const;
    expect(judgeFailure(failed({ by: 'timeout', sideEffect: 'unknown' }, effect), once())).toMatchObject(stays);
    expect(judgeFailure(failed({ by: 'timeout', sideEffect: 'none' }, { ...effect, inDoubt: true }), once())).toMatchObject(stays);
    expect(judgeFailure(failed({ by: 'timeout', sideEffect: 'none' }, effect), once())).toMatchObject({ decision: 'fallback' });
  });
});

describe('a way that execution cannot go', () => {
  const unclassified = { retry: false, escalate: 'triage' };
  const first = { change: { fallback: 0 }, says: 'params: field not found; x' };

  it('is passed over: the next one is gone, or the policy comes to its end, and the reason stands', () => {
    const refused = { attempt: 2, refused: [first], ...ways() };
    const policy = http({ buckets: { timeout: { ...timeout, attempts: 2 }, unclassified } });
    const rule = 'http@4#timeout; attempts 2 of 2; no fallback: params: field not found, x';
    expect(judgeFailure(failed({ by: 'timeout' }, refused), policy)).toMatchObject({ change: { fallback: 1 }, justification: { rule } });
    const both = [first, { change: { fallback: 1 }, says: 'another reason' }];
    expect(judgeFailure(failed({ by: 'timeout' }, { ...refused, refused: both }), policy)).toMatchObject({ change: { reduce: 'short' } });
    const all = [...both, { change: { reduce: 'short' }, says: 'a third' }, { change: { reduce: 'shorter' }, says: 'a fourth' }];
    expect(judgeFailure(failed({ by: 'timeout' }, { ...refused, refused: all }), policy)).toMatchObject({
      decision: 'give_up',
      justification: { rule },
    });
  });

  it('leads a changed retry to who looks at what cannot be justified', () => {
    const rule = { retry: 'modified', attempts: 9, expects: 'changed_input', modify: [{ op: 'add', path: '/params/x', value: 1 }] };
    const policy = http({ buckets: { timeout: rule, unclassified } });
    const given = { work: { input: {}, params: {}, queue: 'q' }, queues: ['q'], ...ways() };
    const refused = [{ change: { patch: rule.modify }, says: 'the step is closed' }];
    expect(judgeFailure(failed({ by: 'timeout' }, { ...given, refused }), policy)).toMatchObject({
      decision: 'escalate',
      queue: 'triage',
      justification: { rule: 'http@4#timeout; the step is closed' },
    });
    const same = { ...given, work: { ...given.work, params: { x: 1 } }, refused: [first] };
    expect(judgeFailure(failed({ by: 'timeout' }, same), policy)).toMatchObject({ decision: 'fallback', change: { fallback: 1 } });
  });
});

describe('reduced paths (C-REDUCED)', () => {
  const decided = (onExhausted: unknown, rest: Partial<FailedAttempt>): unknown => {
    const judgement = judgeFailure(
      failed(broken, rest),
      http({ buckets: { upstream_5xx: { retry: false }, unclassified: { retry: false, escalate: 'triage' } }, onExhausted }),
    );
    return 'change' in judgement ? judgement.change : judgement.decision;
  };

  it('are taken in their order where they drop the failed step, each once', () => {
    expect(decided(['reduce', 'block'], ways())).toEqual({ reduce: 'short' });
    expect(decided(['reduce', 'block'], ways({ reduced: ['short'] }))).toEqual({ reduce: 'shorter' });
    expect(decided(['reduce', 'block'], ways({ reduced: ['short', 'shorter'] }))).toBe('block');
  });

  it('are taken by name where the policy names one', () => {
    expect(decided(['reduce:shorter', 'block'], ways())).toEqual({ reduce: 'shorter' });
    for (const none of ['reduce:other', 'reduce:nobody']) expect(decided([none, 'block'], ways())).toBe('block');
    expect(decided(['reduce:shorter', 'reduce', 'block'], ways({ reduced: ['shorter'] }))).toEqual({ reduce: 'short' });
  });

  it('say what is dropped, and are no other try: no limit of tries stands in their way', () => {
    const policy = http({
      buckets: { timeout: { ...timeout, attempts: 2 }, unclassified: { retry: false, escalate: 'triage' } },
      limits: { perStep: 2 },
    });
    expect(judgeFailure(failed({ by: 'timeout' }, { attempt: 2, ...ways() }), policy)).toMatchObject({
      decision: 'reduce_scope',
      change: { reduce: 'short' },
      justification: {
        rule: 'http@4#timeout; attempts 2 of 2; no fallback: perStep 2 of 2',
        expectedChange: 'reduced_scope: path short, without screen, else',
      },
    });
  });
});

describe('changed retries (C-MODIFIED)', () => {
  const halve = { op: 'replace', path: '/params/contextScale', value: 0.5 };
  const rule = { retry: 'modified', attempts: 3, expects: 'changed_input', modify: [halve] };
  const policy = (rest: object = {}, more: object = {}): PolicyState =>
    http({ buckets: { context_length: { ...rule, ...rest }, unclassified: { retry: false, escalate: 'triage' } }, ...more });
  const work = { input: { text: 'long' }, params: { contextScale: 1 }, queue: 'reading' };
  const long = (rest: Partial<FailedAttempt> = {}): FailedAttempt =>
    failed({ by: 'handler', bucket: 'context_length' }, { work, queues: ['reading', 'reading-b'], ...rest });

  it('give the patch, with what is expected to change, at once where no pause is declared', () => {
    expect(judgeFailure(long(), policy())).toEqual({
      bucket: 'context_length',
      decision: 'retry_modified',
      change: { patch: [halve] },
      justification: { rule: 'http@4#context_length', newEvidence: [expect.anything()], expectedChange: 'changed_input' },
    });
    expect(waitMs(judgeFailure(long({ attempt: 2 }), policy({ backoff: { kind: 'linear', first: '1s', jitter: 0 } })))).toBe(2_000);
  });

  it('are bounded like others: attempts, limits, evidence', () => {
    expect(judgeFailure(long({ attempt: 3, ...ways() }), policy())).toMatchObject({
      decision: 'fallback',
      justification: { rule: 'http@4#context_length; attempts 3 of 3' },
    });
    expect(judgeFailure(long({ attempt: 2 }), policy({}, { limits: { perStep: 2 } }))).toMatchObject({
      decision: 'give_up',
      justification: { rule: 'http@4#context_length; perStep 2 of 2' },
    });
    const again = long({ earlier: judgeFailure(long(), policy()).justification.newEvidence });
    expect(judgeFailure(again, policy({ needsNewEvidence: true }))).toMatchObject({ decision: 'escalate', queue: 'triage' });
  });

  it('end where the patch would change nothing: then the tries are used', () => {
    const halved = { ...work, params: { contextScale: 0.5 } };
    expect(judgeFailure(long({ attempt: 2, work: halved }), policy())).toMatchObject({
      decision: 'give_up',
      justification: { rule: 'http@4#context_length; modify changes nothing' },
    });
  });

  it.each<[string, object, string]>([
    ['there is nothing to replace', { op: 'replace', path: '/params/scale', value: 1 }, 'there is nothing at /params/scale to replace'],
    ['a test does not hold', { op: 'test', path: '/params/contextScale', value: 2 }, '/params/contextScale is not what the patch expects'],
    ['the step does not declare that queue', { op: 'replace', path: '/queue', value: 'writing' }, 'the step declares no queue "writing"'],
  ])('escalate with the reason where the patch does not fit: %s', (_, change, says) => {
    const judgement = judgeFailure(long(), policy({ modify: [halve, change], escalate: 'ops' }));
    expect(judgement).toMatchObject({ decision: 'escalate', queue: 'ops', justification: { expectedChange: null } });
    expect(judgement.justification.rule).toContain(says);
  });

  it('may change to an alternative’s queue', () => {
    const change = [{ op: 'replace', path: '/queue', value: 'reading-b' }];
    expect(judgeFailure(long(), policy({ modify: change }))).toMatchObject({ decision: 'retry_modified', change: { patch: change } });
  });

  it('give nothing else under the key of an effect that may have happened', () => {
    const failure = { by: 'handler', bucket: 'context_length' } as const;
    const inDoubt = { ...long(), failure, guarantee: 'idempotent', inDoubt: true } as const;
    expect(judgeFailure(inDoubt, policy())).toMatchObject({ decision: 'block', bucket: 'effect_unknown' });
  });
});

describe('what between (C-BACKOFF)', () => {
  it.each<[string, object, number[]]>([
    ['fixed', { kind: 'fixed', first: '1s' }, [1_000, 1_000, 1_000, 1_000]],
    ['linear', { kind: 'linear', first: '1s', cap: '3s' }, [1_000, 2_000, 3_000, 3_000]],
    ['exponential', { kind: 'exponential', first: '1s', factor: 3, cap: '10s' }, [1_000, 3_000, 9_000, 10_000]],
  ])('%s', (_, backoff, expected) => {
    const rules = (jitter: number): PolicyState =>
      http({ buckets: { timeout: { ...timeout, backoff: { ...backoff, jitter } }, unclassified: { retry: false, escalate: 'triage' } } });
    const pauses = (jitter: number): number[] =>
      [1, 2, 3, 4].map((attempt) => waitMs(judgeFailure(failed({ by: 'timeout' }, { attempt }), rules(jitter))));
    expect(pauses(0)).toEqual(expected);
    pauses(0.5).forEach((pause, i) => {
      expect(pause).toBeGreaterThanOrEqual(expected[i] ?? NaN);
      expect(pause).toBeLessThanOrEqual((expected[i] ?? NaN) * 1.5);
    });
  });

  it('gives the same pause for the same failure and others to others (W-5)', () => {
    const pause = (failedEventId: string): number => waitMs(judgeFailure(failed(lost, { attempt: 4, failedEventId }), policy));
    expect(pause('e1')).toBe(pause('e1'));
    expect(new Set(['a', 'b', 'c', 'd', 'e'].map(pause)).size).toBeGreaterThan(1);
  });

  it('waits for the provider’s time, longer than our own cap too, and hardly longer than that', () => {
    for (const [retryAfter, seconds] of [
      ['2', 2],
      ['3600', 3_600],
    ] as const) {
      const wait = waitMs(judgeFailure(failed({ ...limited, details: { headers: { 'Retry-After': retryAfter } } }), policy));
      expect(wait).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(wait).toBeLessThanOrEqual(seconds * 1_000 + 2_000);
    }
  });

  it('waits its own pause where no provider names a time, or one that is over', () => {
    for (const failure of [
      limited,
      { ...limited, details: { headers: { 'retry-after': '0' } } },
      { ...limited, retryAfter: '2026-11-24T07:00:00Z' },
    ])
      expect(waitMs(judgeFailure(failed(failure), policy))).toBeGreaterThanOrEqual(10_000);
  });

  it('has no patience beyond elapsed, nor beyond a week', () => {
    const at = (retryAfter: string): string => judgeFailure(failed({ ...limited, retryAfter }), policy).justification.rule;
    expect(at('2026-11-24T13:30:00Z')).toBe('default@1#rate_limited');
    expect(at('2026-11-24T15:00:00Z')).toMatch(/^default@1#rate_limited; elapsed 2520\d\d\d\d of 21600000 ms$/);
    expect(at('2026-12-24T08:00:00Z')).toBe('default@1#rate_limited; pause 2592000000 of 604800000 ms');
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
