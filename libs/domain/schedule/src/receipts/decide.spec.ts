import { describe, expect, it } from '@jest/globals';
import { idOf, type Decision, type JsonObject } from '@cairn/kernel';
import { eventSchemas } from '../codec.js';
import { receiveEvent, settleReceipt, type ReceiptRejection } from './decide.js';
import type { EventReceived, ReceiptEvent, ReceiptLine } from './events.js';
import { evolveReceipt, isSettled, receiptView, type ReceiptState } from './evolve.js';
import { bodyDigestOf, keyOf } from './identity.js';

const AT = '2026-11-24T08:00:00.000Z';
const receiptId = idOf('receipt', 'default', '/s', 'e1');
const run = idOf('run', 'default', 'w', 'k');

function event(more: Partial<EventReceived['data']> = {}): EventReceived['data'] {
  return {
    receiptId,
    source: '/s',
    id: 'e1',
    type: 'a.b',
    extensions: {},
    data: 1,
    bodyDigest: bodyDigestOf({ type: 'a.b', data: 1 }),
    via: 'bus',
    ...more,
  };
}

const line = (outcome: ReceiptLine['outcome'], more: Partial<ReceiptLine> = {}): ReceiptLine => ({
  outcome,
  runs: [],
  nearMisses: [],
  ...more,
});

function fold(events: readonly ReceiptEvent[], from?: ReceiptState): ReceiptState | undefined {
  return events.reduce<ReceiptState | undefined>(
    (state, { type, data }) => evolveReceipt(state, { type, at: AT, data: data as unknown as JsonObject }),
    from,
  );
}

function eventsOf(decision: Decision<ReceiptEvent, ReceiptRejection>): readonly ReceiptEvent[] {
  return decision.kind === 'accepted' ? decision.events : [];
}

const received = (...lines: readonly ReceiptLine[]): ReceiptState => {
  const state = fold([
    { type: 'EventReceived', version: 1, data: event() },
    ...lines.map((data) => ({ type: 'ReceiptSettled' as const, version: 1 as const, data: { receiptId, ...data } })),
  ]);
  if (state === undefined) throw new Error('a received event has a receipt');
  return state;
};

describe('receiving an event', () => {
  it('accepts it once', () => {
    const decision = receiveEvent(undefined, event());
    expect(eventsOf(decision).map(({ type }) => type)).toEqual(['EventReceived']);
    expect(receiveEvent(received(), event())).toEqual({ kind: 'nothing', because: 'duplicate' });
  });

  it('tells a second sender of the same id with another body so, once', () => {
    const other = event({ data: 2, bodyDigest: bodyDigestOf({ type: 'a.b', data: 2 }) });
    const decision = receiveEvent(received(), other);
    expect(eventsOf(decision)).toMatchObject([
      { type: 'ReceiptSettled', data: { outcome: 'refused', problem: { code: 'idempotency_conflict' } } },
    ]);
    const after = fold(eventsOf(decision), received());
    expect(after?.event.data).toBe(1);
    expect(after !== undefined && isSettled(after)).toBe(false); // The first sender's event still waits for its outcome.
    expect(receiveEvent(after, other)).toEqual({ kind: 'nothing', because: 'unchanged' });
  });

  it('settles what is refused for what it is in the same append', () => {
    const decision = receiveEvent(undefined, event(), { code: 'subject_mismatch', detail: 'no' });
    expect(eventsOf(decision).map(({ type }) => type)).toEqual(['EventReceived', 'ReceiptSettled']);
  });
});

describe('what counts as the body', () => {
  it('is type, subject, key, schema, target and data', () => {
    const digest = bodyDigestOf({ type: 'a.b', data: { x: 1, y: 2 } });
    expect(bodyDigestOf({ type: 'a.b', data: { y: 2, x: 1 } })).toBe(digest);
    for (const other of [{ type: 'a.c' }, { type: 'a.b', key: 'k' }, { type: 'a.b', subject: 's' }, { type: 'a.b', dataschema: 'd' }])
      expect(bodyDigestOf({ data: { x: 1, y: 2 }, ...other })).not.toBe(digest);
  });

  it('takes the key from cairnkey, else from the subject, else there is none', () => {
    expect([keyOf({ cairnkey: 'k', subject: 's' }), keyOf({ subject: 's' }), keyOf({})]).toEqual(['k', 's', undefined]);
  });
});

describe('settling a receipt', () => {
  it('needs an event', () => {
    expect(settleReceipt(undefined, [line('kept')])).toMatchObject({ kind: 'rejected', rejection: { code: 'receipt_not_found' } });
  });

  it('adds only what nobody said before', () => {
    const started = line('started', { runs: [{ run, branch: 'main' }] });
    expect(settleReceipt(received(started), [started])).toEqual({ kind: 'nothing', because: 'unchanged' });
    const woke = line('woke', { runs: [{ run, branch: 'main', wait: 'w' }] });
    expect(eventsOf(settleReceipt(received(started), [started, woke, woke]))).toHaveLength(1);
  });
});

describe('what a receipt says', () => {
  it('is pending until its first line', () => {
    expect(receiptView(received())).toMatchObject({ outcome: 'pending', count: 0, runs: [] });
  });

  it.each<[ReceiptLine['outcome'][], string]>([
    [['kept', 'woke'], 'woke'],
    [['started', 'refused'], 'started'],
    [['late', 'near_miss'], 'near_miss'],
    [['refused', 'unmatched'], 'unmatched'],
    [['attached', 'woke'], 'woke'],
  ])('of %j is the strongest', (given, shown) => {
    expect(receiptView(received(...given.map((outcome) => line(outcome)))).outcome).toBe(shown);
  });

  it('names each run once, and at most five near misses', () => {
    const nearMisses = Array.from({ length: 4 }, () => ({ run, wait: 'w', clause: 'key', expected: 'a', got: 'b' }));
    const view = receiptView(
      received(
        line('woke', { runs: [{ run, wait: 'w' }] }),
        line('near_miss', { runs: [{ run, wait: 'w' }], nearMisses }),
        line('near_miss', { nearMisses }),
      ),
    );
    expect(view.runs).toHaveLength(1);
    expect(view.nearMisses).toHaveLength(5);
    expect(view.count).toBe(3);
  });
});

describe('the codec', () => {
  it('reads what the deciders write, with fields of later releases, and nothing else', () => {
    expect(eventSchemas['EventReceived@1']?.safeParse({ ...event(), later: true }).success).toBe(true);
    expect(eventSchemas['EventReceived@1']?.safeParse({ ...event(), receiptId: 'x' }).success).toBe(false);
    expect(eventSchemas['ReceiptSettled@1']?.safeParse({ receiptId, ...line('kept', { keptUntil: AT }) }).success).toBe(true);
    expect(eventSchemas['ReceiptSettled@1']?.safeParse({ receiptId, ...line('kept'), outcome: 'eaten' }).success).toBe(false);
  });
});
