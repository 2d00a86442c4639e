import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import type { EventStore } from '@cairn/ports';
import { eventStoreContract, PATIENCE_MS, tryCase, type EventStoreHarness } from '@cairn/testkit';
import { openLibsqlEventStore } from './open.js';

/** Each view is a connection of its own, as another process's is. A crash here is a store that nobody closes; `kill.spec.ts` kills a real process. */
async function make(): Promise<EventStoreHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-store-'));
  const opened: EventStore[] = [];
  const open = async (): Promise<EventStore> => {
    const store = await openLibsqlEventStore({ file: join(folder, 'events.db'), pollMs: 5 });
    opened.push(store);
    return store;
  };
  return {
    store: await open(),
    another: open,
    crash: open,
    patienceMs: PATIENCE_MS,
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await rm(folder, { recursive: true });
    },
  };
}

describe('event store on libSQL keeps the promises of EventStore', () => {
  for (const promise of eventStoreContract) it(promise.name, () => tryCase(promise, make));
});
