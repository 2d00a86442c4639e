import { describe, expect, it } from '@jest/globals';
import { clockContract, idsContract, PATIENCE_MS, randomnessContract, tryCase } from '@cairn/testkit';
import { systemClock, systemIds, systemRandomness } from './system.js';

const harness = { patienceMs: PATIENCE_MS, dispose: async () => undefined };
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms + 1));

describe('the system keeps the promises of Clock, Randomness and Ids', () => {
  for (const promise of clockContract) it(promise.name, () => tryCase(promise, async () => ({ ...harness, clock: systemClock, pass })));
  for (const promise of randomnessContract)
    it(promise.name, () => tryCase(promise, async () => ({ ...harness, randomness: systemRandomness })));
  for (const promise of idsContract) it(promise.name, () => tryCase(promise, async () => ({ ...harness, ids: systemIds })));

  it('takes delays that are longer than a timer of Node', async () => {
    let fired = false;
    const timer = systemClock.after(90 * 86_400_000, () => (fired = true));
    await pass(20);
    timer.cancel();
    expect(fired).toBe(false);
  });
});
