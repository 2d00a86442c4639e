import assert from 'node:assert/strict';
import { done } from '@cairn/ports';
import { within } from '../../wait-until.js';
import type { ContractCase } from '../contract.js';
import type { BusHarness } from './harness.js';
import { Inbox, message, refused, work } from './inbox.js';

/** Asking and answering. */
export const askCases: readonly ContractCase<BusHarness>[] = [
  {
    name: 'ask resolves with the answer of the settlement, and the consumer knows that somebody waits',
    run: async ({ bus, patienceMs }) => {
      const inbox = await Inbox.on(bus, work('w1'), patienceMs, async ({ body }) => ({ kind: 'done', answer: { got: body } }));
      assert.deepStrictEqual(await bus.ask(message('contract.work.a', { n: 1 }), patienceMs), { got: { n: 1 } });
      assert.deepEqual(
        inbox.messages.map(({ asked }) => asked),
        [true],
      );
    },
  },
  {
    name: 'answers find their askers, whatever their order',
    run: async ({ bus, patienceMs }) => {
      const waiting: (() => void)[] = [];
      await Inbox.on(bus, work('w1'), patienceMs, async ({ body }) => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length === 8) for (const answer of waiting.reverse()) answer();
        });
        return { kind: 'done', answer: body };
      });
      const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => bus.ask(message('contract.work.a', { n }), patienceMs)));
      assert.deepEqual(
        answers,
        Array.from({ length: 8 }, (_, n) => ({ n })),
      );
    },
  },
  {
    name: 'a refusal answers too, and the message does not come again',
    run: async ({ bus, patienceMs }) => {
      const inbox = await Inbox.on(bus, work('w1'), patienceMs, async () => ({ kind: 'never', reason: 'no', answer: { code: 'no' } }));
      assert.deepStrictEqual(await bus.ask(message('contract.work.a'), patienceMs), { code: 'no' });
      assert.equal(inbox.messages.length, 1);
    },
  },
  {
    name: 'an answer may come with a later delivery, after a fault',
    run: async ({ bus, patienceMs }) => {
      await Inbox.on(bus, work('w1'), patienceMs, async ({ deliveries }) =>
        deliveries === 1 ? { kind: 'again', afterMs: 1 } : { kind: 'done', answer: { deliveries } },
      );
      assert.deepStrictEqual(await bus.ask(message('contract.work.a'), patienceMs), { deliveries: 2 });
    },
  },
  {
    name: 'without an answer ask ends with ask_timeout, not before the deadline',
    run: async ({ bus, patienceMs }) => {
      await Inbox.on(bus, work('w1'), patienceMs, async () => done);
      const started = performance.now();
      await assert.rejects(within('the time-out', bus.ask(message('contract.work.a'), 40), patienceMs), refused('ask_timeout'));
      assert.ok(performance.now() - started >= 39);
    },
  },
  {
    name: 'the same question asked again with a new id is answered again',
    run: async ({ bus, patienceMs }) => {
      let n = 0;
      await Inbox.on(bus, work('w1'), patienceMs, async () => ({ kind: 'done', answer: { n: n++ } }));
      const answers = [await bus.ask(message('contract.work.a'), patienceMs), await bus.ask(message('contract.work.a'), patienceMs)];
      assert.deepEqual(answers, [{ n: 0 }, { n: 1 }]);
    },
  },
];
