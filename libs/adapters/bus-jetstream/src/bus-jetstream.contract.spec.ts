import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { Bound, Bus } from '@cairn/ports';
import { busContract, findNatsServer, notRun, PATIENCE_MS, RunningNats, tryCase, type BusHarness } from '@cairn/testkit';
import type { NatsConnection } from '@nats-io/nats-core';
import { busOn, clear, connectTo, streams } from './spec/nats-bus.js';
import { applyTopology } from './topology.js';

const found = findNatsServer();

describe('bus on JetStream keeps the promises of Bus', () => {
  if ('missing' in found) {
    it('on a real server', () => notRun('bus-jetstream: the contract of Bus on a real server', found.missing));
    return;
  }
  let nats: RunningNats;
  let admin: NatsConnection;
  beforeAll(async () => {
    nats = await RunningNats.start(found.path);
    admin = await connectTo(nats.url, 'admin');
  });
  afterAll(async () => {
    await admin.close();
    await nats.dispose();
  });

  /** Each consumer is a process of its own; its death closes its connection without a word. */
  async function make(): Promise<BusHarness> {
    await clear(admin);
    await applyTopology(admin, streams, []);
    const main = await busOn(nats.url);
    const connections: NatsConnection[] = [main.connection];
    const deaths = new Map<Bound, () => Promise<void>>();
    let closed = false;
    const bus: Bus = {
      publish: (message) => main.publish(message),
      ask: (message, deadlineMs) => main.ask(message, deadlineMs),
      consume: async (spec, handle) => {
        if (closed) return main.consume(spec, handle);
        await applyTopology(admin, streams, [spec]);
        const its = await busOn(nats.url);
        connections.push(its.connection);
        const bound = await its.consume(spec, handle);
        deaths.set(bound, () => its.connection.close());
        return bound;
      },
      close: async () => {
        closed = true;
        await main.close();
      },
    };
    return {
      bus,
      crash: async (bound) => deaths.get(bound)?.(),
      patienceMs: PATIENCE_MS,
      dispose: async () => {
        for (const connection of connections) await connection.close(); // Handlers of some cases never settle.
      },
    };
  }

  for (const promise of busContract) it(promise.name, () => tryCase(promise, make));

  it('keeps them after the server was killed and started again on its folder', async () => {
    await nats.kill();
    await nats.startAgain();
    await admin.close();
    admin = await connectTo(nats.url, 'admin');
    for (const promise of busContract.slice(0, 4)) await tryCase(promise, make);
  });
});
