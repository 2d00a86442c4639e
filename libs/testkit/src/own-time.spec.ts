import { describe, expect, it } from '@jest/globals';
import { OwnTime } from './own-time.js';
import { waitUntil } from './wait-until.js';

const HELD_UP_MS = 200;

describe('own time', () => {
  it('goes on while the process waits, and never faster than time', async () => {
    const [own, began] = [OwnTime.start(), performance.now()];
    let paused = false;
    setTimeout(() => (paused = true), HELD_UP_MS);
    await waitUntil('the pause is over', () => paused);
    const ms = own.stop();
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(Math.ceil(performance.now() - began));
  });

  it('stands still while the process does', async () => {
    const own = OwnTime.start();
    for (const until = performance.now() + HELD_UP_MS; performance.now() < until;); // As if the machine gave it no core.
    await new Promise((resolve) => setImmediate(resolve));
    expect(own.stop()).toBeLessThanOrEqual(2);
  });
});
