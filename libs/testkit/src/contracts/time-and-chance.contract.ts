import assert from 'node:assert/strict';
import { isId } from '@cairn/kernel';
import type { Clock, Ids, Randomness } from '@cairn/ports';
import type { ContractCase, Harness } from './contract.js';

export interface ClockHarness extends Harness {
  readonly clock: Clock;
  /** Lets at least so much time pass, and whatever is due in it happen. */
  readonly pass: (ms: number) => Promise<void>;
}

/** The promises of `Clock`. */
export const clockContract: readonly ContractCase<ClockHarness>[] = [
  {
    name: 'now is a whole number of milliseconds since the epoch, and goes on',
    run: async ({ clock, pass }) => {
      const before = clock.now();
      assert.ok(Number.isSafeInteger(before) && before > Date.UTC(2020, 0), `${before}`);
      await pass(20);
      assert.ok(clock.now() >= before + 15, `${clock.now() - before}`); // Wall clocks are slewed.
    },
  },
  {
    name: 'monotonic time never goes back and measures what passes',
    run: async ({ clock, pass }) => {
      const first = clock.monotonicMs();
      let last = first;
      for (let i = 0; i < 1_000; i++) {
        const next = clock.monotonicMs();
        assert.ok(next >= last);
        last = next;
      }
      await pass(20);
      assert.ok(clock.monotonicMs() - first >= 20);
    },
  },
  {
    name: 'after runs its task once, not early, in the order of their times',
    run: async ({ clock, pass }) => {
      const start = clock.monotonicMs();
      const ran: { name: string; at: number }[] = [];
      for (const [name, delay] of [
        ['late', 60],
        ['soon', 5],
        ['at once', 0],
        ['past', -5],
      ] as const) {
        clock.after(delay, () => ran.push({ name, at: clock.monotonicMs() - start }));
      }
      assert.equal(ran.length, 0, 'ran inside after');
      await pass(100);
      await pass(100);
      assert.deepEqual(ran.map(({ name }) => name).slice(2), ['soon', 'late']);
      assert.equal(ran.length, 4);
      assert.ok(ran[2]!.at >= 4 && ran[3]!.at >= 59, JSON.stringify(ran));
    },
  },
  {
    name: 'a cancelled task never runs; to cancel twice or afterwards is harmless',
    run: async ({ clock, pass }) => {
      const ran: string[] = [];
      const cancelled = clock.after(5, () => ran.push('cancelled'));
      const kept = clock.after(5, () => ran.push('kept'));
      cancelled.cancel();
      cancelled.cancel();
      await pass(50);
      kept.cancel();
      assert.deepEqual(ran, ['kept']);
    },
  },
];

export interface RandomnessHarness extends Harness {
  readonly randomness: Randomness;
}

/** The promises of `Randomness` that can be tried: shape, spread, no repetition. */
export const randomnessContract: readonly ContractCase<RandomnessHarness>[] = [
  {
    name: 'entropy is 32 hex characters that do not repeat, and every bit moves',
    run: async ({ randomness }) => {
      const all = Array.from({ length: 5_000 }, () => randomness.entropy());
      assert.ok(all.every((text) => /^[0-9a-f]{32}$/.test(text)));
      assert.equal(new Set(all).size, all.length);
      for (let bit = 0n; bit < 128n; bit++) {
        const ones = all.filter((text) => (BigInt(`0x${text}`) >> bit) & 1n).length;
        assert.ok(Math.abs(ones - 2_500) < 300, `bit ${bit} is set in ${ones} of 5000`); // 8 standard deviations.
      }
    },
  },
  {
    name: 'fractions are spread evenly over [0, 1)',
    run: async ({ randomness }) => {
      const bins = new Array<number>(10).fill(0);
      for (let i = 0; i < 20_000; i++) {
        const fraction = randomness.fraction();
        assert.ok(fraction >= 0 && fraction < 1);
        bins[Math.floor(fraction * 10)]!++;
      }
      for (const [i, count] of bins.entries()) assert.ok(Math.abs(count - 2_000) < 350, `bin ${i} has ${count} of 20000`); // 8 standard deviations.
    },
  },
];

export interface IdsHarness extends Harness {
  readonly ids: Ids;
}

/** The promises of `Ids`. */
export const idsContract: readonly ContractCase<IdsHarness>[] = [
  {
    name: 'ids are legal and never repeat',
    run: async ({ ids }) => {
      const all = Array.from({ length: 10_000 }, () => ids.next());
      assert.ok(all.every(isId));
      assert.equal(new Set(all).size, all.length);
    },
  },
  {
    name: 'an id tells nothing about the next: no common beginning, no order',
    run: async ({ ids }) => {
      const all = Array.from({ length: 1_000 }, () => ids.next());
      assert.ok(new Set(all.map((id) => id.slice(0, 4))).size > 900);
      const rising = all.filter((id, i) => i > 0 && id > all[i - 1]!).length;
      assert.ok(rising > 350 && rising < 650, `${rising} of 999 rise`);
    },
  },
];
