import type { EventStore } from '@cairn/ports';
import { EsdbStandIn, type EsdbStandInOptions } from '@cairn/testkit';
import { openEsdb, type Esdb } from '../open.js';
import { quickClock } from './quick-clock.js';
import { randomness } from './system-ports.js';

/** With this a deadline of 5 s lasts one and a quarter: for specs that wait for deadlines. */
export const HASTE = 4;

export interface Scene {
  readonly server: EsdbStandIn;
  readonly esdb: Esdb;
  readonly store: EventStore;
}

export interface SceneOptions extends EsdbStandInOptions {
  /** Puts something between the adapter and the server. */
  readonly through?: (url: string) => string;
  /** How many times as fast time runs. */
  readonly haste?: number;
}

/** A stand-in and an adapter on it, for one spec. */
export async function scene(play: (scene: Scene) => Promise<void>, options: SceneOptions = {}): Promise<void> {
  const server = await EsdbStandIn.start(options);
  const esdb = await openEsdb({ url: options.through?.(server.url) ?? server.url, clock: quickClock(options.haste ?? 1), randomness });
  try {
    await play({ server, esdb, store: esdb.store });
  } finally {
    server.faults.thaw();
    await esdb.close();
    await server.kill();
  }
}
