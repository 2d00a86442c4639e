import assert from 'node:assert/strict';
import type { ContractCase } from '../contract.js';
import { bytes, Ear, refused } from './ear.js';
import type { LineHarness } from './harness.js';

/** Who hears what is told. */
export const tellingCases: readonly ContractCase<LineHarness>[] = [
  {
    name: 'what is told is heard as it was told, in its order, and nobody waits for an answer',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const ear = await Ear.on(harness, other, 'line.a');
      for (let n = 0; n < 50; n++) one.tell('line.a', Uint8Array.of(0, 255, n));
      await ear.has(50);
      assert.deepEqual(
        ear.messages.map(({ data }) => [...data]),
        Array.from({ length: 50 }, (_, n) => [0, 255, n]),
      );
      assert.ok(ear.messages.every(({ asked }) => !asked));
      ear.messages[0]!.answer(bytes('to nobody'));
    },
  },
  {
    name: 'each listener hears what its subject matches and nothing else, also in the process that tells',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const stars = await Ear.on(harness, other, 'line.*.x');
      const rest = await Ear.on(harness, other, 'line.a.>');
      const own = await Ear.on(harness, one, 'line.a.x');
      for (const subject of ['line.a', 'line.a.y', 'line.b.x', 'line.a.x.y', 'line', 'line.a.x']) one.tell(subject, bytes('!'));
      await Promise.all([stars.has(2), rest.has(3), own.has(1)]);
      assert.deepEqual(stars.heard, ['line.b.x !', 'line.a.x !']);
      assert.deepEqual(rest.heard, ['line.a.y !', 'line.a.x.y !', 'line.a.x !']);
    },
  },
  {
    name: 'who stopped listening hears nothing more, and the others go on',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const stopped = await Ear.on(harness, other, 'line.a');
      const still = await Ear.on(harness, other, 'line.a');
      one.tell('line.a', bytes('1'));
      await Promise.all([stopped.has(1), still.has(1)]);
      stopped.stop();
      await harness.heard();
      one.tell('line.a', bytes('2'));
      await still.has(2);
      assert.deepEqual(stopped.heard, ['line.a 1']);
    },
  },
  {
    name: 'what is no subject is refused with bad_subject by tell, ask and listen',
    run: async ({ line }) => {
      const one = await line();
      for (const subject of ['', 'a..b', '.a', 'a.', 'a b', 'a\r\nPUB b', 'a.*', '>']) {
        assert.throws(() => one.tell(subject, bytes('')), refused('bad_subject'), `tell ${subject}`);
        await assert.rejects(one.ask(subject, bytes(''), 1_000), refused('bad_subject'), `ask ${subject}`);
      }
      for (const subject of ['', 'a..b', 'a b', 'a.>.b', 'a.b*', 'a\nb']) {
        assert.throws(() => one.listen(subject, () => undefined), refused('bad_subject'), `listen ${subject}`);
      }
    },
  },
  {
    name: 'a listener that throws hears the next all the same',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const ear = await Ear.on(harness, other, 'line.a', () => {
        throw new TypeError('planted');
      });
      one.tell('line.a', bytes('1'));
      one.tell('line.a', bytes('2'));
      await ear.has(2);
    },
  },
];
