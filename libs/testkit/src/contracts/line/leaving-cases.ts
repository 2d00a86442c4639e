import assert from 'node:assert/strict';
import type { Line } from '@cairn/ports';
import { waitUntil, within } from '../../wait-until.js';
import type { ContractCase } from '../contract.js';
import { bytes, Ear, refused, text } from './ear.js';
import type { LineHarness } from './harness.js';

/** Being there, and leaving. */
export const leavingCases: readonly ContractCase<LineHarness>[] = [
  {
    name: 'a process that died is found gone, one that lives is not, and being looked at disturbs nobody',
    run: async (harness) => {
      const [one, mortal, other] = [await harness.line(), await harness.line(), await harness.line()];
      await harness.heard();
      assert.equal(new Set([one.aliveAt, mortal.aliveAt, other.aliveAt]).size, 3);
      const gone: string[] = [];
      const look = (): void => {
        for (const [name, line] of Object.entries({ one, mortal, other })) one.ifGone(line.aliveAt, () => gone.push(name));
      };
      await Ear.on(harness, other, 'line.a', ({ answer }) => {
        look(); // While an answer is on its way.
        answer(bytes('yes'));
      });
      assert.equal(text(await one.ask('line.a', bytes('q'), harness.patienceMs)), 'yes');
      await harness.heard();
      assert.deepEqual(gone, []);
      await harness.die(mortal);
      look();
      await waitUntil('it was found gone', () => gone.length > 0, harness.patienceMs);
      await harness.heard();
      assert.deepEqual(gone, ['mortal']);
    },
  },
  {
    name: 'a line that was closed is gone, hears nothing, and says so to who asks with it',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const closed = await Ear.on(harness, other, 'line.a');
      const still = await Ear.on(harness, one, 'line.a');
      const asked = other.ask('line.a', bytes('open'), harness.patienceMs * 10);
      asked.catch(() => undefined);
      await Promise.all([closed.has(1), still.has(1)]);
      await other.close();
      await assert.rejects(within('the answer', asked, harness.patienceMs), refused('bus_unavailable'));
      await assert.rejects(other.ask('line.a', bytes('q'), harness.patienceMs), refused('bus_unavailable'));
      assert.throws(() => other.listen('line.a', () => undefined), refused('bus_unavailable'));
      other.tell('line.a', bytes('from beyond'));
      one.tell('line.a', bytes('last'));
      await still.has(2);
      assert.deepEqual([closed.heard, still.heard], [['line.a open'], ['line.a open', 'line.a last']]);
      await untilGone(one, other, harness);
    },
  },
];

async function untilGone(one: Line, other: Line, { patienceMs }: LineHarness): Promise<void> {
  let gone = false;
  one.ifGone(other.aliveAt, () => (gone = true));
  await waitUntil('it was found gone', () => gone, patienceMs);
}
