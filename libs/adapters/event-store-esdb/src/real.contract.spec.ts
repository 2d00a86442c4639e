import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { artifactsContract, eventStoreContract, notRun, tryCase } from '@cairn/testkit';
import { artifactsHarness, containedServer, namedServer, sharedHarness, type RealServer } from './spec/real-server.js';

/** A container's image may have to be fetched first. */
const START_MS = 180_000;

for (const { name, found } of [namedServer(), await containedServer()]) {
  describe(`event store on ${name} keeps the promises of EventStore and Artifacts`, () => {
    if ('missing' in found) {
      it('on a real server', () => notRun(`event-store-esdb: the contracts of EventStore and Artifacts on ${name}`, found.missing));
      return;
    }
    let server: RealServer;
    beforeAll(async () => {
      server = await found.start();
    }, START_MS);
    afterAll(async () => server.dispose());

    for (const promise of artifactsContract) it(promise.name, () => tryCase(promise, () => artifactsHarness(server.url)));
    for (const promise of eventStoreContract) it(promise.name, () => tryCase(promise, () => sharedHarness(server.url)));
  });
}
