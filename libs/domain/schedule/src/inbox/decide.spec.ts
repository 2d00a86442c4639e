import { describe, expect, it } from '@jest/globals';
import { idOf, type JsonObject } from '@cairn/kernel';
import type { ReceiptState } from '../receipts/evolve.js';
import { keepEvent } from './decide.js';
import { emptyInbox, evolveInbox, KEPT_MAX, type InboxState } from './evolve.js';
import { withinLookBack } from './look-back.js';

const DAY_MS = 86_400_000;

function receipt(id: string, key?: string): ReceiptState {
  const receiptId = idOf('receipt', 'default', '/s', id);
  const event = {
    receiptId,
    source: '/s',
    id,
    type: 'a.b.v1',
    ...(key === undefined ? {} : { key }),
    extensions: {},
    bodyDigest: '',
    via: 'bus',
  } as const;
  return { event, at: '2026-11-24T08:00:00.000Z', lines: [] };
}

function keep(state: InboxState, id: string, key?: string): InboxState {
  const decision = keepEvent(state, receipt(id, key), DAY_MS);
  return decision.kind === 'accepted'
    ? decision.events.reduce((next, { type, data }) => evolveInbox(next, { type, data: data as unknown as JsonObject }), state)
    : state;
}

describe('keeping an event', () => {
  it('keeps it once, until the declared time has passed since it was received', () => {
    const state = keep(emptyInbox, 'e1', 'k');
    expect(state).toMatchObject([{ key: 'k', type: 'a.b.v1', receivedAt: '2026-11-24T08:00:00.000Z', until: '2026-11-25T08:00:00.000Z' }]);
    expect(keepEvent(state, receipt('e1', 'k'), DAY_MS)).toEqual({ kind: 'nothing', because: 'duplicate' });
  });

  it('keeps one without a key under the empty key', () => {
    expect(keep(emptyInbox, 'e1')).toMatchObject([{ key: '' }]);
  });

  it(`keeps the newest ${KEPT_MAX} (B-17)`, () => {
    let state: InboxState = emptyInbox;
    for (let i = 0; i <= KEPT_MAX; i++) state = keep(state, `e${i}`, 'k');
    expect(state).toHaveLength(KEPT_MAX);
    expect([state[0]?.id, state.at(-1)?.id]).toEqual(['e1', `e${KEPT_MAX}`]);
  });
});

describe('how far back a wait looks', () => {
  const wait = { openedAt: '2026-11-24T10:00:00.000Z', startReceivedAt: '2026-11-24T09:00:00.000Z' };

  it.each<['run' | 'none' | number, string, boolean]>([
    ['run', '2026-11-24T08:59:55.000Z', true], // Five seconds of two clocks' difference are tolerated.
    ['run', '2026-11-24T08:59:54.999Z', false],
    ['none', '2026-11-24T09:59:59.999Z', false],
    ['none', '2026-11-24T10:00:00.000Z', true],
    [1_000, '2026-11-24T09:59:59.000Z', true],
    [1_000, '2026-11-24T09:59:58.999Z', false],
    [2 * 3_600_000, '2026-11-24T08:00:00.000Z', true],
  ])('%s takes what was received at %s: %s', (lookBack, receivedAt, taken) => {
    expect(withinLookBack(lookBack, receivedAt, wait)).toBe(taken);
  });
});
