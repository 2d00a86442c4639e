import { describe, expect, it } from '@jest/globals';
import { eventScope, matchTrigger, signalType, type InboundEvent, type StoredTrigger } from './index.js';

const event = (more: Partial<InboundEvent> = {}): InboundEvent => ({
  receiptId: 'r',
  source: '/dms/scan',
  id: '1',
  type: 'dms.document.received.v1',
  key: 'V-1042',
  data: { kind: 'W8', pages: 3 },
  extensions: { cairnactor: 'user:ana' },
  ...more,
});
const trigger = (more: Partial<Extract<StoredTrigger, { kind: 'event' }>> = {}): StoredTrigger => ({
  kind: 'event',
  type: 'dms.document.received',
  key: 'V-1042',
  ...more,
});
const W8 = "event.data.kind == 'W8'";

describe('matchTrigger', () => {
  it.each<[string, StoredTrigger, InboundEvent]>([
    ['type and key', trigger(), event()],
    ['a type without version', trigger(), event({ type: 'dms.document.received' })],
    ['a version that the trigger names', trigger({ type: 'dms.document.received.v1' }), event()],
    ['no key wanted', { kind: 'event', type: 'dms.document.received' }, event({ key: 'other' })],
    ['a condition', trigger({ where: W8 }), event()],
    [
      'a condition on attributes and extensions',
      trigger({ where: "event.source == '/dms/scan' && event.cairnactor == 'user:ana' && event.key == 'V-1042'" }),
      event(),
    ],
    ['a sender', trigger({ from: ['/other', '/dms/scan'] }), event()],
    ['a signal', { kind: 'signal', name: 'go-on' }, event({ type: signalType('go-on'), key: 'run' })],
    ['a signal named like a version', { kind: 'signal', name: 'v1' }, event({ type: signalType('v1') })],
  ])('matches %s', (_, wanted, got) => {
    expect(matchTrigger(wanted, got)).toEqual({ kind: 'match' });
  });

  it.each<[string, StoredTrigger, InboundEvent, object]>([
    ['another type', trigger(), event({ type: 'dms.document.lost' }), { clause: 'trigger', near: false }],
    ['another version than the trigger names', trigger({ type: 'dms.document.received.v2' }), event(), { clause: 'trigger', near: false }],
    [
      'a key with two characters swapped',
      trigger(),
      event({ key: 'V-1024' }),
      { clause: 'key', expected: 'V-1042', got: 'V-1024', near: true },
    ],
    ['a key in another case with one character less', trigger(), event({ key: 'v-142' }), { clause: 'key', near: true }],
    ['a key three edits away', trigger(), event({ key: 'V-9999' }), { clause: 'key', near: false }],
    [
      'no key',
      trigger({ key: 'V' }),
      event({ key: undefined } as unknown as Partial<InboundEvent>),
      { clause: 'key', got: null, near: false },
    ],
    ['another sender', trigger({ from: ['/a'] }), event(), { clause: 'sender', expected: ['/a'], got: '/dms/scan', near: true }],
    [
      'a false condition, with what the event has',
      trigger({ where: W8 }),
      event({ data: { kind: 'W9' } }),
      { clause: 'where', expected: W8, got: { 'event.data.kind': 'W9' }, near: true },
    ],
    [
      'a condition that errs, with its text',
      trigger({ where: 'event.data.amont > 1' }),
      event(),
      { clause: 'where', got: 'field not found: amont', near: true },
    ],
    [
      'a condition that gives no bool',
      trigger({ where: 'event.data.kind' }),
      event(),
      { clause: 'where', got: 'not a bool: string', near: true },
    ],
    ['two clauses', trigger({ where: W8 }), event({ key: 'V-1043', data: { kind: 'W9' } }), { clause: 'key', near: false }],
    ['a signal of another name', { kind: 'signal', name: 'go' }, event({ type: signalType('stop') }), { clause: 'trigger', near: false }],
    ['a timer', { kind: 'timer' }, event(), { clause: 'trigger', near: false }],
  ])('does not match %s', (_, wanted, got, expected) => {
    expect(matchTrigger(wanted, got)).toMatchObject({ kind: 'no', ...expected });
  });

  it('does not let an extension stand for an attribute', () => {
    expect(eventScope(event({ extensions: { source: '/forged', data: 1 } }))).toMatchObject({ source: '/dms/scan', data: { kind: 'W8' } });
  });

  it('shows little of an event', () => {
    const result = matchTrigger(
      trigger({ where: "event.data.text == 'x' || event.data == 1" }),
      event({ data: { text: 'secret'.repeat(100) } }),
    );
    expect(JSON.stringify(result).length).toBeLessThan(300);
  });
});
