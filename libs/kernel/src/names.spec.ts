import { describe, expect, it } from '@jest/globals';
import { EVENT_TYPE_MAX, EXTERNAL_ID_MAX, isBranch, isEventType, isExternalId, isKey, isName, isNamespace, KEY_MAX } from './names.js';
import { inboxStream, parseRunStream, policyStream, receiptStream, runStream, workflowStream } from './streams.js';

const rules: readonly [name: string, is: (text: unknown) => boolean, yes: readonly string[], no: readonly unknown[]][] = [
  ['a name', isName, ['a', 'order-2', 'a'.repeat(63)], ['', 'A', '1a', 'a_b', 'a.b', 'a+b', 'a'.repeat(64), 'a\n', 'é', 7, undefined]],
  ['a namespace', isNamespace, ['default', 'a1'], ['', 'a-b', '1a', 'a'.repeat(33), 'a.b', '*', '>', 'callbacks', null]],
  ['a branch', isBranch, ['main', 'b1', 'b9999'], ['b0', 'b01', 'b10000', 'Main', 'main ', 'b', '']],
  [
    'an event type',
    isEventType,
    ['a', 'dms.document.received', 'a_b-c.v2', 'a.b.c.d.e.f.g.h', 'a'.repeat(EVENT_TYPE_MAX)],
    ['', '.a', 'a.', 'a..b', 'A.b', 'a.*', 'a.>', 'a b', 'a.b.c.d.e.f.g.h.i', 'a'.repeat(EVENT_TYPE_MAX + 1), 'a\u0000'],
  ],
  [
    'a key',
    isKey,
    ['x', 'a.*>+ b', 'ü', '\u{1f600}', 'k'.repeat(KEY_MAX)],
    ['', 'k'.repeat(KEY_MAX + 1), 'a\u0000', 'a\nb', 'a\u202eb', 'a\u200b', '\ufeffa', 'a\ud800', '\u0085'],
  ],
  [
    'an external id',
    isExternalId,
    ['urn:x:1', 'k'.repeat(EXTERNAL_ID_MAX)],
    ['', 'k'.repeat(EXTERNAL_ID_MAX + 1), 'a\u007f', 'a\u2028b', {}],
  ],
];

describe.each(rules)('%s', (_, is, yes, no) => {
  it.each(yes)('is %j', (text) => {
    expect(is(text)).toBe(true);
  });
  it.each(no.map((text) => [text]))('is not %j', (text) => {
    expect(is(text)).toBe(false);
  });
});

it('makes the names of streams that the storage format knows', () => {
  expect([runStream('r', 'b2'), receiptStream('r'), inboxStream('h'), workflowStream('ns', 'w-1'), policyStream('ns', 'p')]).toEqual([
    'run-r+b2',
    'receipt-r',
    'inbox-h',
    'workflow-ns+w-1',
    'policy-ns+p',
  ]);
});

it('takes a run stream apart, and only a run stream', () => {
  expect(parseRunStream('run-r+main')).toEqual({ runId: 'r', branch: 'main' });
  for (const stream of ['receipt-r', 'run-r', 'runs-r+main']) expect(parseRunStream(stream)).toBeUndefined();
});
