import { describe, expect, it } from '@jest/globals';
import { streams, workSpec } from './spec/nats-bus.js';
import { restart, withNats } from './spec/with-nats.js';
import { applyTopology, diffTopology } from './topology.js';

const two = [workSpec('w1', { filters: ['contract.work.a'] }), workSpec('w2', { filters: ['contract.work.b', 'contract.work.c'] })];

describe('topology as data', () => {
  withNats('topology', (world) => {
    it('names what is missing, makes it, and then finds nothing to do', async () => {
      expect(await diffTopology(world.admin, streams, two)).toEqual([
        { kind: 'consumer', name: 'w1' },
        { kind: 'consumer', name: 'w2' },
      ]);
      expect(await applyTopology(world.admin, streams, two)).toHaveLength(2);
      expect(await applyTopology(world.admin, streams, two)).toEqual([]);
    });

    it('names each field that differs, with both values, and mends it without losing the consumer', async () => {
      await applyTopology(world.admin, streams, two);
      const wanted = [{ ...two[0]!, inFlightMax: 7 }, two[1]!];
      const difference = { kind: 'consumer', name: 'w1', field: 'max_ack_pending', wanted: 7, found: 64 };
      expect(await diffTopology(world.admin, streams, wanted)).toEqual([difference]);
      await applyTopology(world.admin, streams, wanted);
      expect(await diffTopology(world.admin, streams, wanted)).toEqual([]);
    });

    it('sees a stream that somebody changed', async () => {
      const [first, ...others] = streams;
      const differences = await diffTopology(world.admin, [{ ...first!, maxAgeMs: 60_000 }, ...others], []);
      expect(differences).toEqual([{ kind: 'stream', name: first!.name, field: 'max_age', wanted: 60_000_000_000, found: 0 }]);
    });

    it('refuses, as a fault with the server’s reason, what cannot be changed', async () => {
      const [first, second] = streams;
      const swapped = [{ ...first!, retention: 'work_queue' as const }, second!];
      await expect(applyTopology(world.admin, swapped, [])).rejects.toMatchObject({
        code: 'bus_unavailable',
        message: expect.stringContaining(first!.name) as unknown,
      });
    });

    it('makes everything anew where the store was wiped', async () => {
      await applyTopology(world.admin, streams, two);
      await restart(world, { wiped: true });
      expect(await applyTopology(world.admin, streams, two)).toHaveLength(streams.length + two.length);
      expect(await diffTopology(world.admin, streams, two)).toEqual([]);
    });
  });
});
