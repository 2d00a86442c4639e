import { describe, it } from '@jest/globals';
import type { Line } from '@cairn/ports';
import { lineContract, PATIENCE_MS, tryCase, waitUntil, wallClock, type LineHarness } from '@cairn/testkit';
import { errors, type NatsConnection } from '@nats-io/nats-core';
import { connectTo } from '../spec/nats-bus.js';
import { restart, withNats } from '../spec/with-nats.js';
import { createNatsLine } from './nats-line.js';

describe('line on core NATS keeps the promises of Line', () => {
  withNats('the contract of Line on a real server', (world) => {
    /** The server learns of a closed connection a moment later: until then it takes the dead for a listener. */
    async function noticed({ aliveAt }: Line): Promise<void> {
      const observer = await connectTo(world.nats.url, 'observer');
      const nobody = (error: unknown): boolean =>
        error instanceof errors.NoRespondersError || (error as Error).cause instanceof errors.NoRespondersError;
      await waitUntil('the server has noticed', () => observer.request(aliveAt, '', { timeout: 50 }).then(() => false, nobody));
      await observer.close();
    }

    /** Each line is a process of its own; its death closes its connection without a word. */
    async function make(): Promise<LineHarness> {
      const connections = new Map<Line, NatsConnection>();
      return {
        line: async () => {
          const connection = await connectTo(world.nats.url, 'line');
          const line = createNatsLine(connection, wallClock);
          connections.set(line, connection);
          return line;
        },
        die: async (line) => {
          await connections.get(line)?.close();
          await noticed(line);
        },
        heard: async () => {
          for (const connection of connections.values()) if (!connection.isClosed()) await connection.flush();
        },
        patienceMs: PATIENCE_MS,
        dispose: async () => {
          for (const connection of connections.values()) await connection.close();
        },
      };
    }

    for (const promise of lineContract) it(promise.name, () => tryCase(promise, make));

    it('keeps them after the server was killed and started again', async () => {
      await restart(world);
      for (const promise of lineContract.slice(0, 3)) await tryCase(promise, make);
    });
  });
});
