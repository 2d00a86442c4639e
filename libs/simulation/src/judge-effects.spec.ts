import { describe, expect, it } from '@jest/globals';
import { idOf, type StoredEvent } from '@cairn/kernel';
import { wrongEffects } from './judge-effects.js';
import type { Booking } from './world/effect-server.js';

const run = idOf('run', 'sim', 'pays', 'k');
const [first, second] = [idOf('attempt', 'e', 'pay', 1), idOf('attempt', 'e', 'pay', 2)];

const told = (type: string, attemptId: string): StoredEvent =>
  ({ type, data: { step: 'pay', attemptId, key: 'k/pay', suffix: 0 } }) as unknown as StoredEvent;
const request = (attemptId: string, honours: boolean, more: object = {}): Booking => ({
  run,
  step: 'pay',
  attemptId,
  attempt: 1,
  key: 'k/pay',
  honours,
  at: 0,
  ...more,
});
const says = (events: readonly StoredEvent[], requests: readonly Booking[], bookings: readonly Booking[]): string[] =>
  wrongEffects({ requests: [...requests], bookings: [...bookings] }, new Map([[run, new Map([['main', events]])]])).map(
    (finding) => finding.says,
  );

const intended = [told('EffectIntended', first), told('EffectIntended', second)];
const granted = [told('AttemptTaken', first), told('AttemptTaken', second)];

describe('E-2', () => {
  it('finds nothing where a key that is honoured goes out twice and books once', () => {
    const twice = [request(first, true), request(second, true)];
    expect(says([...intended, told('EffectUnknown', first), told('EffectConfirmed', second)], twice, twice.slice(0, 1))).toEqual([]);
  });

  it.each([
    ['is booked 2 times', intended, [], [request(first, true), request(second, true)]],
    ['is confirmed and not booked', [...intended, told('EffectConfirmed', second)], [request(second, true)], []],
    [
      'is called absent and has booked',
      [...intended, ...granted, told('EffectAbsent', first)],
      [request(first, false)],
      [request(first, false)],
    ],
    ['is sent under other', intended, [request(first, true, { key: 'other' })], []],
    ['which was never granted', intended, [request(first, false)], []],
    ['is asked for twice', [...intended, ...granted], [request(first, false), request(first, false)], []],
    ['of which nobody knows', [...intended, ...granted, told('EffectUnknown', first)], [request(first, false), request(second, false)], []],
  ])('finds what it should not: an effect that %s', (what, events, requests, bookings) => {
    const found = says(events, requests, bookings);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(what);
  });
});
