import { describe, expect, it } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { streams, workSpec } from './spec/nats-bus.js';
import { restart, withNats } from './spec/with-nats.js';
import { applyTopology, diffTopology, managerOf } from './topology.js';

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

    it('makes a prioritized consumer, and sees one that is not, or should not be', async () => {
      const [plain, ranked] = [two[0]!, { ...two[0]!, prioritized: true as const }];
      await applyTopology(world.admin, streams, [plain]);
      expect(await diffTopology(world.admin, streams, [ranked])).toEqual([
        { kind: 'consumer', name: 'w1', field: 'priority_groups', wanted: ['ranked'], found: undefined },
        { kind: 'consumer', name: 'w1', field: 'priority_policy', wanted: 'prioritized', found: 'none' },
      ]);
      await applyTopology(world.admin, streams, [ranked]);
      expect(await diffTopology(world.admin, streams, [ranked])).toEqual([]);
      expect(await diffTopology(world.admin, streams, [plain])).toMatchObject([{ field: 'priority_policy', found: 'prioritized' }]);
    });

    it('sees a stream whose messages cannot expire, and mends it', async () => {
      const [first, ...others] = streams;
      const wanted = [{ ...first!, messageTtl: true as const }, ...others];
      expect(await applyTopology(world.admin, wanted, [])).toMatchObject([{ name: first!.name, field: 'allow_msg_ttl', wanted: true }]);
      expect(await diffTopology(world.admin, wanted, [])).toEqual([]);
    });

    it('a work queue that an operator limits refuses the new and keeps what it has taken', async () => {
      const { streams: api } = await managerOf(world.admin);
      await api.update('CONTRACT_WORK', { max_msgs: 1 });
      const client = jetstream(world.admin);
      await client.publish('contract.work.a', 'first');
      await expect(client.publish('contract.work.a', 'second')).rejects.toThrow('maximum messages exceeded');
      expect((await api.getMessage('CONTRACT_WORK', { seq: 1 }))?.string()).toBe('first');
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
