import assert from 'node:assert/strict';
import { done, MESSAGE_BYTES_MAX, type Handle } from '@cairn/ports';
import { waitUntil, within } from '../../wait-until.js';
import type { ContractCase } from '../contract.js';
import type { BusHarness } from './harness.js';
import { Inbox, facts, message, refused, work } from './inbox.js';

/** Who gets which message. */
export const deliveryCases: readonly ContractCase<BusHarness>[] = [
  {
    name: 'a message comes as it was sent, and says that it is the first delivery and that nobody waits',
    run: async ({ bus, patienceMs }) => {
      const inbox = await Inbox.on(bus, facts('f1'), patienceMs);
      const sent = message('contract.fact.a.b', { text: 'ü\u{1f600}', list: [1, null, { deep: true }] });
      await bus.publish(sent);
      await inbox.has(1);
      assert.deepStrictEqual(inbox.messages, [{ ...sent, deliveries: 1, asked: false }]);
    },
  },
  {
    name: 'a consumer gets what its filters match and nothing else',
    run: async ({ bus, patienceMs }) => {
      const one = await Inbox.on(bus, facts('one', ['contract.fact.*.x']), patienceMs);
      const rest = await Inbox.on(bus, facts('rest', ['contract.fact.a.>', 'contract.fact.b']), patienceMs);
      const subjects = ['a.x', 'b', 'a', 'b.x', 'a.x.y', 'a.z', 'c.x'].map((tail) => `contract.fact.${tail}`);
      for (const subject of subjects) await bus.publish(message(subject));
      await bus.publish(message('contract.fact.last.x'));
      await bus.publish(message('contract.fact.a.last'));
      await Promise.all([one.has(4), rest.has(5)]);
      assert.deepEqual(one.subjects.sort(), ['contract.fact.a.x', 'contract.fact.b.x', 'contract.fact.c.x', 'contract.fact.last.x']);
      assert.deepEqual(
        rest.subjects.sort(),
        ['a.last', 'a.x', 'a.x.y', 'a.z', 'b'].map((tail) => `contract.fact.${tail}`),
      );
    },
  },
  {
    name: 'different durables of a stream with limits each get every message',
    run: async ({ bus, patienceMs }) => {
      const inboxes = await Promise.all(['f1', 'f2'].map((durable) => Inbox.on(bus, facts(durable), patienceMs)));
      const sent = Array.from({ length: 20 }, (_, i) => message(`contract.fact.n${i}`));
      await Promise.all(sent.map((each) => bus.publish(each)));
      for (const inbox of inboxes) assert.deepEqual((await inbox.has(20)).ids.sort(), sent.map(({ id }) => id).sort());
    },
  },
  {
    name: 'two bindings of one durable share its messages: each goes to one of them, and both work',
    run: async ({ bus, patienceMs }) => {
      const spec = { ...facts('f1'), inFlightMax: 40 };
      const inboxes = await Promise.all([0, 1].map(() => Inbox.on(bus, spec, patienceMs)));
      const sent = Array.from({ length: 40 }, (_, i) => message(`contract.fact.n${i}`));
      await Promise.all(sent.map((each) => bus.publish(each)));
      await waitUntil('all came', () => inboxes[0]!.messages.length + inboxes[1]!.messages.length === 40, patienceMs);
      assert.deepEqual([...inboxes[0]!.ids, ...inboxes[1]!.ids].sort(), sent.map(({ id }) => id).sort());
    },
  },
  {
    name: 'a work queue keeps a message until somebody comes, and forgets it when it is settled',
    run: async ({ bus, patienceMs }) => {
      const [first, second] = [message('contract.work.a'), message('contract.work.b')];
      await bus.publish(first);
      const inbox = await Inbox.on(bus, work('w1'), patienceMs);
      await inbox.has(1);
      await inbox.bound.stop();
      await bus.publish(second);
      const next = await Inbox.on(bus, work('w1'), patienceMs);
      assert.deepEqual((await next.has(1)).ids, [second.id]);
    },
  },
  {
    name: 'a work queue gives a message to the one durable that it is for, and to that one again until it is settled',
    run: async ({ bus, patienceMs }) => {
      const twiceAgain: Handle = async ({ deliveries }) => (deliveries < 3 ? { kind: 'again', afterMs: 1 } : done);
      const one = await Inbox.on(bus, work('w1', ['contract.work.a']), patienceMs, twiceAgain);
      const other = await Inbox.on(bus, work('w2', ['contract.work.b']), patienceMs);
      const [a, b] = [message('contract.work.a'), message('contract.work.b')];
      await Promise.all([bus.publish(a), bus.publish(b)]);
      await Promise.all([one.has(3), other.has(1)]);
      assert.deepEqual([one.ids, other.ids], [[a.id, a.id, a.id], [b.id]]);
    },
  },
  {
    name: 'concurrent publishers: nothing is lost between them',
    run: async ({ bus, patienceMs }) => {
      const inbox = await Inbox.on(bus, facts('f1'), patienceMs);
      await Promise.all(Array.from({ length: 300 }, (_, i) => bus.publish(message(`contract.fact.n${i}`))));
      await inbox.has(300);
      assert.equal(new Set(inbox.ids).size, 300);
    },
  },
  {
    name: 'no more than inFlightMax messages are under way at once',
    run: async ({ bus, patienceMs }) => {
      let [inside, most] = [0, 0];
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const inbox = await Inbox.on(bus, { ...facts('f1'), inFlightMax: 3 }, patienceMs, async () => {
        most = Math.max(most, ++inside);
        await gate;
        inside--;
        return done;
      });
      await Promise.all(Array.from({ length: 12 }, (_, i) => bus.publish(message(`contract.fact.n${i}`))));
      await waitUntil('three are under way', () => inside === 3, patienceMs);
      release();
      await inbox.has(12);
      assert.equal(most, 3);
    },
  },
  {
    name: 'stop takes no new message and resolves when those under way are settled',
    run: async ({ bus, patienceMs }) => {
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      let settled = false;
      const inbox = await Inbox.on(bus, work('w1'), patienceMs, async () => {
        await gate;
        settled = true;
        return done;
      });
      await bus.publish(message('contract.work.a'));
      await inbox.has(1);
      const stopped = inbox.bound.stop().then(() => assert.ok(settled, 'stop did not wait'));
      await bus.publish(message('contract.work.b'));
      release();
      await within('stop', stopped, patienceMs);
      const next = await Inbox.on(bus, work('w1'), patienceMs);
      assert.deepEqual((await next.has(1)).subjects, ['contract.work.b']);
      assert.equal(inbox.messages.length, 1);
    },
  },
  {
    name: 'refuses what cannot be sent: too large, no subject, a subject that nobody takes',
    run: async ({ bus, patienceMs }) => {
      const inbox = await Inbox.on(bus, facts('f1'), patienceMs);
      const wide = 'ü'.repeat(MESSAGE_BYTES_MAX / 2);
      await assert.rejects(bus.publish(message('contract.fact.large', { wide })), refused('message_too_large'));
      for (const subject of [
        '',
        'contract..fact',
        '.contract',
        'contract.fact.',
        'contract.fact.*',
        'contract.fact.>',
        'contract.fact.a b',
        'contract.fact.a\r\nPUB x',
      ]) {
        await assert.rejects(bus.publish(message(subject)), refused('bad_subject'), JSON.stringify(subject));
      }
      await assert.rejects(bus.publish(message('contract.nowhere')), refused('no_consumer'));
      await bus.publish(message('contract.fact.fits', { wide: wide.slice(0, -100) }));
      assert.deepEqual((await inbox.has(1)).subjects, ['contract.fact.fits']);
    },
  },
  {
    name: 'after close everything is bus_unavailable',
    run: async ({ bus }) => {
      await bus.close();
      const gone = refused('bus_unavailable');
      await assert.rejects(bus.publish(message('contract.fact.a')), gone);
      await assert.rejects(
        bus.consume(facts('f1'), async () => done),
        gone,
      );
      await assert.rejects(bus.ask(message('contract.work.a'), 5), gone);
    },
  },
];
