import assert from 'node:assert/strict';
import { waitUntil } from '../../wait-until.js';
import type { ContractCase } from '../contract.js';
import type { BusHarness } from './harness.js';
import { Inbox, message, work } from './inbox.js';

const EXPIRES_MS = 300;
/** A bus may count in whole seconds, and look once a second. */
const GONE_AFTER_MS = 2_500;

/** What becomes of a message that nobody takes in time. */
export const expiryCases: readonly ContractCase<BusHarness>[] = [
  {
    name: 'a message that may expire comes while its time lasts, and after it is dropped, without a trace on its neighbours',
    run: async ({ bus, patienceMs }) => {
      const [taken, dropped, kept] = [message('contract.work.a'), message('contract.work.b'), message('contract.work.b')];
      await bus.publish({ ...taken, expiresMs: patienceMs });
      await (await Inbox.on(bus, work('w1', ['contract.work.a']), patienceMs)).has(1);
      await bus.publish({ ...dropped, expiresMs: EXPIRES_MS });
      await bus.publish(kept);
      const from = performance.now();
      await waitUntil('its time is over', () => performance.now() - from > GONE_AFTER_MS);
      const late = await Inbox.on(bus, work('w2', ['contract.work.b']), patienceMs);
      await late.has(1);
      assert.deepEqual(late.ids, [kept.id]);
    },
  },
];
