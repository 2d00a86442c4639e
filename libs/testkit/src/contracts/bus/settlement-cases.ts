import assert from 'node:assert/strict';
import { done, StoreFault, type Settlement } from '@cairn/ports';
import { waitUntil } from '../../wait-until.js';
import type { ContractCase } from '../contract.js';
import type { BusHarness } from './harness.js';
import { ACK_WAIT_MS, facts, hasty, Inbox, message, work } from './inbox.js';

/** Answers the first so many deliveries of each message in one way, later ones with `done`. */
function first(count: number, settle: () => Promise<Settlement>) {
  return async ({ deliveries }: { readonly deliveries: number }): Promise<Settlement> => (deliveries <= count ? settle() : done);
}

/** What becomes of a message. */
export const settlementCases: readonly ContractCase<BusHarness>[] = [
  {
    name: 'done: not delivered again',
    run: async ({ bus, patienceMs }) => {
      const inbox = await Inbox.on(bus, work('w1'), patienceMs);
      await bus.publish(message('contract.work.a'));
      await inbox.has(1);
      await inbox.bound.stop();
      const next = await Inbox.on(bus, work('w1'), patienceMs);
      await bus.publish(message('contract.work.b'));
      assert.deepEqual((await next.has(1)).subjects, ['contract.work.b']);
    },
  },
  {
    name: 'again: delivered again, not before its time, and counted',
    run: async ({ bus, patienceMs }) => {
      const at: number[] = [];
      const inbox = await Inbox.on(bus, facts('f1'), patienceMs, async ({ deliveries }) => {
        at.push(performance.now());
        return deliveries < 3 ? { kind: 'again', afterMs: 40 } : done;
      });
      await bus.publish(message('contract.fact.a'));
      await inbox.has(3);
      assert.deepEqual(
        inbox.messages.map(({ deliveries }) => deliveries),
        [1, 2, 3],
      );
      assert.ok(at[1]! - at[0]! >= 39 && at[2]! - at[1]! >= 39, `after ${at[1]! - at[0]!} and ${at[2]! - at[1]!} ms`);
    },
  },
  {
    name: 'never: not delivered again, and others go on',
    run: async ({ bus, patienceMs }) => {
      const inbox = await Inbox.on(bus, work('w1'), patienceMs, async ({ subject }) =>
        subject.endsWith('bad') ? { kind: 'never', reason: 'malformed' } : done,
      );
      await bus.publish(message('contract.work.bad'));
      await inbox.has(1);
      await inbox.bound.stop();
      const next = await Inbox.on(bus, work('w1'), patienceMs);
      await bus.publish(message('contract.work.good'));
      assert.deepEqual((await next.has(1)).subjects, ['contract.work.good']);
    },
  },
  {
    name: 'a fault: the message comes again, however often, and does not become a dead letter',
    run: async ({ bus, patienceMs }) => {
      const faults = 4; // One more than `bugsMax`.
      const inbox = await Inbox.on(
        bus,
        facts('f1'),
        patienceMs,
        first(faults, () => Promise.reject(new StoreFault('store_unavailable', 'away'))),
      );
      await bus.publish(message('contract.fact.a'));
      await inbox.has(faults + 1);
    },
  },
  {
    name: 'a bug: the message comes again up to bugsMax, then never, and its neighbours go on',
    run: async ({ bus, patienceMs }) => {
      const spec = work('w1');
      const inbox = await Inbox.on(bus, spec, patienceMs, ({ subject }) => {
        if (subject.endsWith('bad')) throw new TypeError('planted');
        return Promise.resolve(done);
      });
      await bus.publish(message('contract.work.bad'));
      await bus.publish(message('contract.work.good'));
      await inbox.has(spec.bugsMax + 1);
      await inbox.bound.stop();
      const next = await Inbox.on(bus, spec, patienceMs);
      await bus.publish(message('contract.work.next'));
      assert.deepEqual((await next.has(1)).subjects, ['contract.work.next']);
    },
  },
  {
    name: 'patience: what takes longer than ackWaitMs is begun once while its binding lives, also while that stops; its settlement counts',
    run: async ({ bus, patienceMs }) => {
      let release = (): void => undefined;
      const late = new Promise<Settlement>((resolve) => (release = () => resolve(done)));
      const inbox = await Inbox.on(bus, hasty(work('w1')), patienceMs, async ({ subject }) => (subject.endsWith('.slow') ? late : done));
      await bus.publish(message('contract.work.slow'));
      await inbox.has(1);
      const until = performance.now() + 3 * ACK_WAIT_MS;
      let others = 0;
      while (performance.now() < until) {
        await bus.publish(message('contract.work.quick'));
        await inbox.has(1 + ++others);
      }
      assert.equal(inbox.subjects.filter((subject) => subject.endsWith('.slow')).length, 1);
      const next = await Inbox.on(bus, hasty(work('w1')), patienceMs);
      const came = (): number => next.subjects.filter((subject) => !subject.endsWith('.slow')).length;
      const stopping = inbox.bound.stop();
      const stoppingUntil = performance.now() + 3 * ACK_WAIT_MS;
      let standstillMs = 0; // The longest way of one message: nobody who was held up for longer is seen in it.
      for (let n = 1, from = performance.now(); from < stoppingUntil; n++) {
        await bus.publish(message('contract.work.b'));
        await waitUntil('the next one has it', () => came() >= n, patienceMs);
        const now = performance.now();
        [standstillMs, from] = [Math.max(standstillMs, now - from), now];
      }
      release();
      await stopping;
      // Who stands still cannot say that it works; that its message goes to the next is what `ackWaitMs` is for.
      if (next.subjects.length > came())
        assert.ok(standstillMs > ACK_WAIT_MS / 4, `given away, and nobody stood still for ${standstillMs} ms`);
    },
  },
  {
    name: 'crash: what a dead consumer had in hand is given to the next one',
    run: async ({ bus, crash, patienceMs }) => {
      const spec = hasty(work('w1'));
      const dying = await Inbox.on(bus, spec, patienceMs, () => new Promise<Settlement>(() => undefined));
      const sent = ['a', 'b'].map((tail) => message(`contract.work.${tail}`));
      await Promise.all(sent.map((each) => bus.publish(each)));
      await dying.has(2);
      await crash(dying.bound);
      const next = await Inbox.on(bus, spec, patienceMs);
      await waitUntil('the next one has all', () => new Set(next.ids).size === 2, patienceMs);
      assert.deepEqual([...new Set(next.ids)].sort(), sent.map(({ id }) => id).sort());
    },
  },
];
