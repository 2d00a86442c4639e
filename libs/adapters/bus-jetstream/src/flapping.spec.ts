import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { waitUntil, wallClock } from '@cairn/testkit';
import type { NatsConnection } from '@nats-io/nats-core';
import { connectNats } from './connect.js';
import { withNats } from './spec/with-nats.js';

const CLIENTS = 50;
/** Kills of the server, with an outage after each: some five seconds in all. */
const FLAPS = 5;
const OUTAGE_MS = 500;
/** Attempts of one client in one outage. From 50 ms each pause is a quarter of the time since the loss at least: some ten in half a second, more on a slow machine. */
const ATTEMPTS_MAX = 25;
/** Bytes that fifty clients may keep of all these flaps: some of what the compiler learned, and nothing a flap. */
const HEAP_GROWTH_MAX = 4 * 1_048_576;
const LIMIT_MS = 240_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapUsed = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};
const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe(`${CLIENTS} clients of a server that flaps (F-46)`, () => {
  withNats('a server that flaps', (world) => {
    it(
      'dial again with growing pauses that chance moves apart, all come back, and nothing piles up',
      async () => {
        const attempts = new Map<number, number>();
        const countDials = async (client: number, connection: NatsConnection): Promise<void> => {
          for await (const { type } of connection.status()) {
            if (type === 'reconnecting') attempts.set(client, (attempts.get(client) ?? 0) + 1);
          }
        };
        const clients: NatsConnection[] = [];
        for (let client = 0; client < CLIENTS; client++) {
          const randomness = { fraction: () => (client % 2 === 0 ? 0 : 0.999) }; // Every other one is unlucky each time.
          const connection = await connectNats({ servers: world.nats.url, name: `flap-${client}`, clock: wallClock, randomness });
          void countDials(client, connection);
          clients.push(connection);
        }
        const allBack = async (): Promise<true> => {
          await Promise.all(clients.map((client) => client.flush()));
          return true;
        };
        const flap = async (): Promise<void> => {
          await world.nats.kill();
          const from = performance.now();
          await waitUntil('the outage is over', () => performance.now() - from > OUTAGE_MS);
          await world.nats.startAgain();
          await waitUntil('all are back', allBack);
        };
        await flap(); // What is loaded and compiled at the first is no growth.
        const [openBefore, heapBefore] = [descriptors(), heapUsed()];
        attempts.clear();
        for (let flapped = 1; flapped < FLAPS; flapped++) await flap();

        await waitUntil('no more is open than before', () => descriptors() <= openBefore); // What was closed last may take a moment.
        expect(heapUsed() - heapBefore).toBeLessThan(HEAP_GROWTH_MAX);
        expect(Math.max(...attempts.values()) / (FLAPS - 1)).toBeLessThan(ATTEMPTS_MAX);
        const dialled = (rest: number): number =>
          [...attempts].reduce((sum, [client, times]) => sum + (client % 2 === rest ? times : 0), 0);
        expect(dialled(1)).toBeGreaterThan(0);
        expect(dialled(0)).toBeGreaterThan(dialled(1)); // Chance moves them apart: they do not come all at once.
        await Promise.all(clients.map((client) => client.close()));
      },
      LIMIT_MS,
    );
  });
});
