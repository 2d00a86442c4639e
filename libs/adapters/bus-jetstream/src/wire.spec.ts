import { describe, expect, it } from '@jest/globals';
import { ttlOf } from './wire.js';

describe('when a server drops a message', () => {
  it.each([
    [0, '1s'],
    [1, '1s'],
    [1_000, '1s'],
    [1_001, '2s'],
    [60_000, '60s'],
  ])('after %d ms is said as %s, never too early', (expiresMs, ttl) => {
    expect(ttlOf(expiresMs)).toBe(ttl);
  });
});
