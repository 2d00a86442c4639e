import assert from 'node:assert/strict';
import type { LineMessage } from '@cairn/ports';
import { within } from '../../wait-until.js';
import type { ContractCase } from '../contract.js';
import { bytes, Ear, refused, text } from './ear.js';
import type { LineHarness } from './harness.js';

/** Above any `max_payload` that a server has unless somebody raised it. */
const TOO_LARGE_BYTES = 1_048_577;

/** Asking and answering. */
export const askingCases: readonly ContractCase<LineHarness>[] = [
  {
    name: 'ask resolves with the answer, and the listener knows that somebody waits',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const ear = await Ear.on(harness, other, 'line.*', ({ data, answer }) => answer(bytes(`heard ${text(data)}`)));
      assert.equal(text(await one.ask('line.a', bytes('q'), harness.patienceMs)), 'heard q');
      assert.ok(ear.messages[0]?.asked);
    },
  },
  {
    name: 'a word to ourselves comes back, and not any more when the line is closed',
    run: async (harness) => {
      const line = await harness.line();
      await line.roundTrip(harness.patienceMs);
      await line.close();
      await assert.rejects(line.roundTrip(harness.patienceMs), refused('bus_unavailable'));
    },
  },
  {
    name: 'an answer may be empty',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const ear = await Ear.on(harness, other, 'line.a', ({ answer }) => answer(bytes('')));
      assert.equal((await one.ask('line.a', bytes(''), harness.patienceMs)).length, 0);
      await ear.has(1);
    },
  },
  {
    name: 'of several answers the first counts',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      await Ear.on(harness, other, 'line.a', ({ answer }) => {
        answer(bytes('first'));
        answer(bytes('second'));
      });
      assert.equal(text(await one.ask('line.a', bytes('1'), harness.patienceMs)), 'first');
      assert.equal(text(await one.ask('line.a', bytes('2'), harness.patienceMs)), 'first');
    },
  },
  {
    name: 'answers find their askers, whatever their order',
    run: async (harness) => {
      const [one, two, other] = [await harness.line(), await harness.line(), await harness.line()];
      const waiting: LineMessage[] = [];
      await Ear.on(harness, other, 'line.a', (message) => {
        waiting.push(message);
        if (waiting.length === 8) for (const { data, answer } of waiting.reverse()) answer(data);
      });
      const asked = Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? one : two).ask('line.a', bytes(String(n)), harness.patienceMs));
      assert.deepEqual((await Promise.all(asked)).map(text), ['0', '1', '2', '3', '4', '5', '6', '7']);
    },
  },
  {
    name: 'where nobody listens, or nobody any more, ask ends with no_consumer at once',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const ask = (): Promise<unknown> => within('the refusal', one.ask('line.a', bytes('q'), harness.patienceMs * 10), harness.patienceMs);
      await assert.rejects(ask(), refused('no_consumer'));
      const ear = await Ear.on(harness, other, 'line.a', ({ answer }) => answer(bytes('yes')));
      await ask();
      ear.stop();
      await harness.heard();
      await assert.rejects(ask(), refused('no_consumer'));
      await Ear.on(harness, other, 'line.a', ({ answer }) => answer(bytes('yes')));
      await harness.die(other);
      await assert.rejects(ask(), refused('no_consumer'));
    },
  },
  {
    name: 'without an answer ask ends with ask_timeout, not before the deadline',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const ear = await Ear.on(harness, other, 'line.a');
      const started = performance.now();
      await assert.rejects(within('the time-out', one.ask('line.a', bytes('q'), 40), harness.patienceMs), refused('ask_timeout'));
      assert.ok(performance.now() - started >= 39);
      ear.messages[0]!.answer(bytes('too late'));
    },
  },
  {
    name: 'what is too large is refused with message_too_large before it is sent, and the line goes on',
    run: async (harness) => {
      const [one, other] = [await harness.line(), await harness.line()];
      const large = new Uint8Array(TOO_LARGE_BYTES);
      let refusal: unknown;
      const ear = await Ear.on(harness, other, 'line.a', ({ answer }) => {
        try {
          answer(large);
        } catch (error) {
          refusal = error;
          answer(bytes('small'));
        }
      });
      await assert.rejects(one.ask('line.a', large, harness.patienceMs), refused('message_too_large'));
      assert.throws(() => one.tell('line.a', large), refused('message_too_large'));
      assert.equal(text(await one.ask('line.a', bytes('q'), harness.patienceMs)), 'small');
      assert.ok(refused('message_too_large')(refusal));
      await ear.has(1);
    },
  },
];
