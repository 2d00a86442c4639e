import { afterAll, beforeAll, beforeEach, it } from '@jest/globals';
import { findNatsServer, notRun, RunningNats } from '@cairn/testkit';
import type { NatsConnection } from '@nats-io/nats-core';
import { applyTopology } from '../topology.js';
import { clear, connectTo, streams } from './nats-bus.js';

/** One server for a spec file, and whoever administers it. */
export interface NatsInSpec {
  nats: RunningNats;
  admin: NatsConnection;
}

/**
 * Gives the specs a real server, with the streams of this adapter and nothing else before each. Where there is none, the suite is named
 * and counted as not run.
 */
export function withNats(suite: string, specs: (world: NatsInSpec) => void): void {
  const found = findNatsServer();
  if ('missing' in found) {
    it('on a real server', () => notRun(`bus-jetstream: ${suite}`, found.missing));
    return;
  }
  const world = {} as NatsInSpec;
  beforeAll(async () => {
    world.nats = await RunningNats.start(found.path);
    world.admin = await connectTo(world.nats.url, 'admin');
  });
  beforeEach(async () => {
    await clear(world.admin);
    await applyTopology(world.admin, streams, []);
  });
  afterAll(async () => {
    await world.admin.close();
    await world.nats.dispose();
  });
  specs(world);
}

/** Kills the server and starts it on its folder; the administrator gets a new connection. */
export async function restart(world: NatsInSpec, options: { readonly wiped?: boolean } = {}): Promise<void> {
  await world.nats.kill();
  await world.nats.startAgain(options);
  await world.admin.close();
  world.admin = await connectTo(world.nats.url, 'admin');
}
