import { describe, it } from '@jest/globals';
import { EsdbStandIn, eventStoreContract, PATIENCE_MS, tryCase, type EventStoreHarness } from '@cairn/testkit';
import { openEsdb, type Esdb } from './open.js';
import { quickClock } from './spec/quick-clock.js';
import { randomness } from './spec/system-ports.js';

/**
 * Time runs so many times as slow for the adapter: the contract is about what is promised while the store answers, and a call's deadline of
 * seconds is no patience for hundreds at once where the machine is busy with others.
 */
const SLOWNESS = 10;

/** A stand-in of its own for each case. Each view is a handle of its own on the client that a process has; a crash is one that nobody closes. */
async function make(): Promise<EventStoreHarness> {
  const server = await EsdbStandIn.start();
  const opened: Esdb[] = [];
  const open = async () => {
    const esdb = await openEsdb({ url: server.url, clock: quickClock(1 / SLOWNESS), randomness });
    opened.push(esdb);
    return esdb.store;
  };
  return {
    store: await open(),
    another: open,
    crash: open,
    patienceMs: PATIENCE_MS,
    dispose: async () => {
      await Promise.all(opened.map((esdb) => esdb.close()));
      await server.kill();
    },
  };
}

describe('event store on the stand-in of EventStoreDB keeps the promises of EventStore', () => {
  for (const promise of eventStoreContract) it(promise.name, () => tryCase(promise, make));
});
