import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { categoryOf, chainHash, eventFromBody, idOfStream, sealAppend, type AppendContext, type StoredEvent } from './envelope.js';
import { idOf } from './ids.js';

const sha256 = (text: string | undefined): string =>
  createHash('sha256')
    .update(text ?? '', 'utf8')
    .digest('hex');

const runId = idOf('run', 'default', 'order', 'o-1');
const context: AppendContext = {
  stream: `run-${runId}+main`,
  expected: 'no_stream',
  prevHash: '',
  ns: 'default',
  runId,
  branch: 'main',
  at: '2026-11-24T08:00:00.000Z',
  actor: 'service:execution',
  causationId: 'a "quoted" cause',
};
const events = [
  { type: 'RunStarted', version: 1, data: { z: 1, a: { '10': 1, '9': 2 } } },
  { type: 'StepStarted', version: 2, data: {} },
];

describe('sealAppend', () => {
  it('gives bytes, ids and chain that anybody can compute again from what is stored', () => {
    const text = fc.string({ unit: 'grapheme' });
    const given = fc.array(
      fc.record({
        type: fc.constantFrom('RunStarted', 'StepFailed'),
        version: fc.integer({ min: 1, max: 9 }),
        data: fc.dictionary(
          text.filter((name) => name !== '__proto__'),
          fc.jsonValue({ noUnicodeString: false }).filter((value) => !JSON.stringify(value).includes('"__proto__"')),
        ),
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(given, text, text, fc.option(fc.nat(), { nil: 'no_stream' as const }), (list, actor, causationId, expected) => {
        const { stream, at } = context;
        const sealed = sealAppend({ ...context, actor, causationId, expected, prevHash: 'previous' }, list);
        const first = expected === 'no_stream' ? 0 : expected + 1;
        const bodies = list.map(({ type, version, data }) => canonicalize({ type, version, at, actor, causationId, data }));
        const appendDigest = sha256(canonicalize(bodies.map(sha256)));
        let previous = 'previous';
        sealed.forEach((event, i) => {
          expect(event.body).toBe(bodies[i]);
          expect(event.revision).toBe(first + i);
          expect(event.eventId).toBe(idOf('event', stream, first + i, appendDigest));
          expect(event.metadata).toMatchObject({ appendFirst: first, appendCount: list.length, prevHash: previous });
          expect(event.metadata.hash).toBe(sha256(previous + event.eventId + sha256(bodies[i])));
          previous = event.metadata.hash;
        });
      }),
    );
  });

  it('gives a repeated append the same ids, and any other content other ids for every event', () => {
    const ids = (sealed: readonly StoredEvent[]): string[] => sealed.map(({ eventId }) => eventId);
    const once = ids(sealAppend(context, events));
    expect(ids(sealAppend({ ...context, traceparent: '00-ab-cd-01' }, events))).toEqual(once);
    const others = [
      sealAppend(context, [events[0]!, { ...events[1]!, data: { step: 'x' } }]),
      sealAppend(context, events.slice(0, 1)),
      sealAppend({ ...context, at: '2026-11-24T08:00:00.001Z' }, events),
      sealAppend({ ...context, actor: 'system:sweep' }, events),
      sealAppend({ ...context, stream: `run-${runId}+b2` }, events),
    ];
    for (const other of others) expect(ids(other).filter((id) => once.includes(id))).toEqual([]);
    const later = ids(sealAppend({ ...context, expected: 0 }, events));
    expect(later.filter((id, i) => id === once[i])).toEqual([]);
  });

  it('carries the whole metadata, and leaves out what a stream has not', () => {
    expect(Object.keys(sealAppend({ ...context, traceparent: 't' }, events)[0]!.metadata).sort()).toEqual([
      'actor',
      'appendCount',
      'appendFirst',
      'at',
      'branch',
      'causationId',
      'correlationId',
      'eventId',
      'hash',
      'ns',
      'prevHash',
      'revision',
      'runId',
      'schemaVersion',
      'traceparent',
    ]);
    const { at, actor, causationId } = context;
    const [receipt] = sealAppend(
      { stream: 'receipt-r1', expected: 'no_stream', prevHash: '', ns: 'default', at, actor, causationId },
      events,
    );
    expect(receipt!.metadata.correlationId).toBe('r1');
    expect(receipt!.metadata).not.toHaveProperty('runId');
    expect(receipt!.metadata).not.toHaveProperty('traceparent');
  });

  it('is read back from body and metadata as it was', () => {
    for (const event of sealAppend(context, events)) expect(eventFromBody(event.stream, event.body, event.metadata)).toEqual(event);
  });
});

it('chains over previous hash, id and body digest', () => {
  expect(chainHash('p', 'e', 'd')).toBe(sha256('ped'));
});

it.each([
  ['run-abc+main', 'run', 'abc+main'],
  ['workflow-default+my-flow', 'workflow', 'default+my-flow'],
])('takes %s apart at its first dash', (stream, category, id) => {
  expect(categoryOf(stream)).toBe(category);
  expect(idOfStream(stream)).toBe(id);
});
