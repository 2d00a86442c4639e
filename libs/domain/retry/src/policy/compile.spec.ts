import { describe, expect, it } from '@jest/globals';
import type { FieldError } from '@cairn/kernel';
import { compilePolicy, compilePolicyText, hashPolicy } from './compile.js';
import { defaultPolicy } from './default-policy.js';

const stop = { retry: false, escalate: 'triage' };
const retry = { retry: true, attempts: 4, expects: 'time_passes', backoff: { kind: 'exponential', first: '2s', cap: '2m' } };
const halve = { op: 'replace', path: '/params/contextScale', value: 0.5 };
const modified = { retry: 'modified', attempts: 2, expects: 'changed_input', modify: [halve] };
const policyWith = (timeout: unknown, rest: object = {}): object => ({
  cairn: 1,
  policy: 'http',
  buckets: { timeout, unclassified: stop },
  onExhausted: [{ review: 'recovery' }],
  ...rest,
});

function errorsOf(document: unknown): readonly FieldError[] {
  const compiled = compilePolicy(document);
  return compiled.ok ? [] : compiled.errors;
}
const brief = (errors: readonly FieldError[]): string[] => errors.map(({ pointer, rule }) => `${pointer} ${rule}`);

describe('compiling a policy', () => {
  it('gives one canonical form to every spelling, with durations in milliseconds and defaults left out', () => {
    const yaml = `
cairn: 1
policy: http
buckets:
  timeout: { retry: true, attempts: 4, expects: time_passes, needsNewEvidence: false, backoff: { kind: exponential, first: PT2S, cap: 120s, factor: 2, jitter: 0.2 } }
  unclassified: { retry: false, escalate: triage }
limits: { perStep: 8, elapsed: 6h }
onExhausted: [{ review: recovery }]
`;
    const compiled = compilePolicyText(yaml, 'yaml');
    expect(compiled).toMatchObject({
      ok: true,
      policy: {
        buckets: { timeout: { backoff: { kind: 'exponential', first: 2_000, cap: 120_000 } } },
        limits: { perStep: 8, perRun: 25, elapsed: 21_600_000 },
      },
    });
    expect(compilePolicyText(JSON.stringify(policyWith(retry)), 'json')).toEqual(compiled);
    if (compiled.ok) expect(compilePolicy(compiled.policy)).toEqual(compiled);
  });

  it('leaves the default policy as it is: to apply it again changes nothing', () => {
    expect(compilePolicy(defaultPolicy)).toMatchObject({ ok: true, policy: defaultPolicy, hash: hashPolicy(defaultPolicy) });
  });

  it('takes a changed retry as it is written, with a pause or without', () => {
    const patch = [halve, { op: 'remove', path: '/input/history/0' }, { op: 'replace', path: '/queue', value: 'other' }];
    for (const rule of [modified, { ...modified, modify: patch, backoff: { kind: 'fixed', first: '1s' } }]) {
      const compiled = compilePolicy(policyWith(rule));
      expect(compiled).toMatchObject({ ok: true, policy: { buckets: { timeout: { retry: 'modified', modify: rule.modify } } } });
      if (compiled.ok) expect(compilePolicy(compiled.policy)).toEqual(compiled);
    }
  });

  it('takes own buckets, lists of rules and every end', () => {
    for (const end of ['block', 'give_up', { review: 'recovery' }]) {
      const rules = [{ ...retry, codes: ['E1'], where: "failure.message.contains('busy')" }, { retry: false }];
      expect(
        errorsOf(policyWith(stop, { buckets: { 'x-odd': rules, unclassified: stop }, onExhausted: ['fallback', 'reduce:s', end] })),
      ).toEqual([]);
    }
  });
});

describe('a policy that is refused names field and rule (B-22)', () => {
  const backoff = (fields: object): object => ({ ...retry, backoff: { kind: 'fixed', first: '1s', ...fields } });

  it.each<[string, unknown, string]>([
    ['no attempt', { ...retry, attempts: 0 }, '/buckets/timeout/attempts minimum'],
    ['fewer than none', { ...retry, attempts: -1 }, '/buckets/timeout/attempts minimum'],
    ['a billion', { ...retry, attempts: 1e9 }, '/buckets/timeout/attempts maximum'],
    ['infinitely many', { ...retry, attempts: Infinity }, '/buckets/timeout/attempts number_range'],
    ['a text', { ...retry, attempts: '3' }, '/buckets/timeout/attempts type'],
    ['a fraction', { ...retry, attempts: 1.5 }, '/buckets/timeout/attempts type'],
    ['no pause', backoff({ first: 0 }), '/buckets/timeout/backoff/first minimum'],
    ['hardly a pause', backoff({ first: 99 }), '/buckets/timeout/backoff/first minimum'],
    ['a negative pause', backoff({ first: -100 }), '/buckets/timeout/backoff/first minimum'],
    ['a pause of nothing', backoff({ first: '0s' }), '/buckets/timeout/backoff/first pattern'],
    ['a pause of eight days', backoff({ first: '8d' }), '/buckets/timeout/backoff/first duration'],
    ['a cap of eight days', backoff({ cap: '8d' }), '/buckets/timeout/backoff/cap duration'],
    ['a cap below first', backoff({ first: '10s', cap: '5s' }), '/buckets/timeout/backoff/cap backoff'],
    ['a factor below one', backoff({ kind: 'exponential', factor: 0.5 }), '/buckets/timeout/backoff/factor minimum'],
    ['a factor above ten', backoff({ kind: 'exponential', factor: 11 }), '/buckets/timeout/backoff/factor maximum'],
    ['a factor that nothing uses', backoff({ factor: 3 }), '/buckets/timeout/backoff/factor backoff'],
    ['jitter above one', backoff({ jitter: 1.1 }), '/buckets/timeout/backoff/jitter maximum'],
    ['an unknown kind', backoff({ kind: 'random' }), '/buckets/timeout/backoff/kind enum'],
    ['a provider’s time and nothing else', { ...retry, backoff: { from: 'retryAfter' } }, '/buckets/timeout/backoff/else required'],
    [
      'a calendar',
      { ...retry, backoff: { window: 'office', else: { kind: 'fixed', first: '1s' } } },
      '/buckets/timeout/backoff/window not_yet',
    ],
    ['a retry without reason', { ...retry, expects: undefined }, '/buckets/timeout/expects retry-without-expectation'],
    ['an unknown reason', { ...retry, expects: 'luck' }, '/buckets/timeout/expects enum'],
    ['a retry without number', { ...retry, attempts: undefined }, '/buckets/timeout/attempts required'],
    ['a retry without pause', { ...retry, backoff: undefined }, '/buckets/timeout/backoff required'],
    ['a change that is not said', { ...modified, modify: undefined }, '/buckets/timeout/modify required'],
    ['a change where the same is tried', { ...retry, modify: [halve] }, '/buckets/timeout/modify not_retried'],
    ['a change where nothing is tried', { ...stop, modify: [halve] }, '/buckets/timeout/modify not_retried'],
    ['no change', { ...modified, modify: [] }, '/buckets/timeout/modify minItems'],
    ['a change that only looks', { ...modified, modify: [{ ...halve, op: 'test' }] }, '/buckets/timeout/modify patch'],
    ['21 changes', { ...modified, modify: Array.from({ length: 21 }, () => halve) }, '/buckets/timeout/modify maxItems'],
    ['a change that JSON Patch does not know', { ...modified, modify: [{ ...halve, op: 'move' }] }, '/buckets/timeout/modify/0/op enum'],
    ['a change of no value', { ...modified, modify: [{ op: 'replace', path: '/input/x' }] }, '/buckets/timeout/modify/0/value required'],
    [
      'a value that is taken away',
      { ...modified, modify: [{ op: 'remove', path: '/input/x', value: 1 }] },
      '/buckets/timeout/modify/0/value patch',
    ],
    [
      'a change of what no handler is given',
      { ...modified, modify: [{ ...halve, path: '/timeout' }] },
      '/buckets/timeout/modify/0/path pattern',
    ],
    ['a change of everything', { ...modified, modify: [{ ...halve, path: '' }] }, '/buckets/timeout/modify/0/path pattern'],
    ['a path that is no pointer', { ...modified, modify: [{ ...halve, path: '/input/~2' }] }, '/buckets/timeout/modify/0/path pattern'],
    ['a path behind values', { ...modified, modify: [{ ...halve, path: '/input/__proto__/x' }] }, '/buckets/timeout/modify/0/path patch'],
    ['no params at all', { ...modified, modify: [{ op: 'remove', path: '/params' }] }, '/buckets/timeout/modify/0/path patch'],
    [
      'a queue that is no name',
      { ...modified, modify: [{ op: 'replace', path: '/queue', value: 'A b' }] },
      '/buckets/timeout/modify/0/value patch',
    ],
    ['a part of a queue', { ...modified, modify: [{ op: 'add', path: '/queue/x', value: 'b' }] }, '/buckets/timeout/modify/0/path patch'],
    ['a changed retry without number', { ...modified, attempts: undefined }, '/buckets/timeout/attempts required'],
    ['a changed retry without reason', { ...modified, expects: undefined }, '/buckets/timeout/expects retry-without-expectation'],
    ['a changed retry with half a pause', { ...modified, backoff: { kind: 'fixed' } }, '/buckets/timeout/backoff/first required'],
    ['attempts that nothing makes', { ...stop, attempts: 3 }, '/buckets/timeout/attempts not_retried'],
    ['a field too many', { ...retry, tries: 3 }, '/buckets/timeout/tries unknown_field'],
    ['a condition on what it may not see', { ...retry, where: 'run.id == "x"' }, '/buckets/timeout/where expression'],
    ['elapsed beyond a month', { ...retry, elapsed: '31d' }, '/buckets/timeout/elapsed duration'],
    ['pauses beyond a month', { ...backoff({ first: '7d' }), attempts: 20 }, '/buckets/timeout total_pause'],
  ])('%s', (_, timeout, expected) => {
    expect(brief(errorsOf(policyWith(timeout)))).toContain(expected);
  });

  it.each<[string, object, string]>([
    ['a bucket that is none', { buckets: { slow: stop, unclassified: stop } }, '/buckets/slow pattern'],
    ['nobody for the unrecognised', { buckets: { timeout: retry } }, '/buckets/unclassified required'],
    ['hope for the unrecognised', { buckets: { unclassified: retry } }, '/buckets/unclassified/retry unclassified-retried'],
    [
      'a gap for the unrecognised',
      { buckets: { unclassified: [{ ...stop, codes: ['x'] }] } },
      '/buckets/unclassified/0 unclassified-narrowed',
    ],
    ['nothing afterwards', { onExhausted: undefined }, '/onExhausted retry-without-exhaustion'],
    ['an open end', { onExhausted: ['fallback'] }, '/onExhausted retry-without-exhaustion'],
    ['two ends', { onExhausted: ['block', 'give_up'] }, '/onExhausted/0 retry-without-exhaustion'],
    ['something behind the end', { onExhausted: ['block', 'fallback'] }, '/onExhausted/0 retry-without-exhaustion'],
    ['an unknown end', { onExhausted: ['shrug'] }, '/onExhausted/0 pattern'],
    ['no attempt of a step', { limits: { perStep: 0 } }, '/limits/perStep minimum'],
    ['too many attempts of a step', { limits: { perStep: 51 } }, '/limits/perStep maximum'],
    ['too many attempts of a run', { limits: { perRun: 501 } }, '/limits/perRun maximum'],
    ['more than a month', { limits: { elapsed: '31d' } }, '/limits/elapsed duration'],
    ['negative money', { limits: { usd: -1 } }, '/limits/usd minimum'],
    ['a breaker', { fleet: [] }, '/fleet not_yet'],
    ['a field too many', { retries: 3 }, '/retries unknown_field'],
    ['a name that is none', { policy: 'HTTP' }, '/policy pattern'],
    ['another language', { cairn: 2 }, '/cairn const'],
  ])('%s', (_, rest, expected) => {
    expect(brief(errorsOf(policyWith(retry, rest)))).toContain(expected);
  });

  it('names all of it at once (B-23)', () => {
    const document = policyWith({ ...retry, attempts: 0, expects: undefined }, { onExhausted: [], limits: { perRun: 0 } });
    expect(brief(errorsOf(document)).sort()).toEqual([
      '/buckets/timeout/attempts minimum',
      '/buckets/timeout/expects retry-without-expectation',
      '/limits/perRun minimum',
      '/onExhausted retry-without-exhaustion',
    ]);
  });

  it.each([null, 3, 'x', [], { buckets: [] }, { buckets: { unclassified: null } }, { buckets: { timeout: [null] }, onExhausted: [null] }])(
    'no policy at all: %j',
    (document) => {
      expect(errorsOf(document).length).toBeGreaterThan(0);
    },
  );

  it('no JSON, no YAML, two names of one bucket, too large', () => {
    expect(compilePolicyText('{', 'json')).toMatchObject({ ok: false, errors: [{ rule: 'invalid_json' }] });
    expect(compilePolicyText('a: &b c', 'yaml')).toMatchObject({ ok: false, errors: [{ rule: 'yaml_feature' }] });
    expect(compilePolicyText('{"cairn":1,"cairn":1}', 'json')).toMatchObject({ ok: false, errors: [{ rule: 'duplicate_key' }] });
    const rules = Array.from({ length: 20 }, () => ({ ...retry, where: `failure.message != '${'x'.repeat(900)}'` }));
    const buckets = { timeout: rules, network: rules, conflict: rules, 'x-a': rules, unclassified: stop };
    expect(brief(errorsOf(policyWith(stop, { buckets })))).toContain(' too_large');
  });
});
