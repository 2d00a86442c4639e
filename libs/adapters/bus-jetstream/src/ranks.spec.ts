import { afterEach, describe, expect, it } from '@jest/globals';
import { done, type ConsumerSpec } from '@cairn/ports';
import { PATIENCE_MS, waitUntil } from '@cairn/testkit';
import type { NatsConnection } from '@nats-io/nats-core';
import { busOn, streams, workSpec } from './spec/nats-bus.js';
import { withNats } from './spec/with-nats.js';
import { applyTopology } from './topology.js';

/** How soon the next in rank has what the first would have had, once that one's connection is cut: well below a message's `ackWaitMs`. */
const TAKE_OVER_MS = 200;
/** Deaths of which the quickest take-over counts: a busy machine holds up some of them, a wait of ours would hold up each. */
const DEATHS = 5;
const PARTITIONS = 64;

const ranked = (n: number, more: Partial<ConsumerSpec> = {}): ConsumerSpec =>
  workSpec(`p${n}`, { filters: [`contract.work.p${n}`], prioritized: true, ackWaitMs: 1_000, ...more });

interface Replica {
  readonly connection: NatsConnection;
  /** Ids that it was given, with the time of each. */
  readonly got: Map<string, number>;
  rank: number;
}

describe('a prioritized consumer serves who ranks first', () => {
  withNats('ranks of a prioritized consumer', (world) => {
    const open: NatsConnection[] = [];
    afterEach(async () => {
      for (const connection of open.splice(0)) await connection.close();
    });

    async function replica(rank: number, specs: readonly ConsumerSpec[]): Promise<Replica> {
      const bus = await busOn(world.nats.url);
      open.push(bus.connection);
      const its: Replica = { connection: bus.connection, got: new Map(), rank };
      const handle = ({ id }: { readonly id: string }) => (its.got.set(id, performance.now()), Promise.resolve(done));
      for (const spec of specs) await bus.consume(spec, handle, () => its.rank);
      await bus.connection.flush();
      return its;
    }

    async function publisher() {
      const bus = await busOn(world.nats.url);
      open.push(bus.connection);
      let sent = 0;
      return async (count: number, partition = 0): Promise<void> => {
        const ids = Array.from({ length: count }, () => `m${sent++}`);
        await Promise.all(ids.map((id) => bus.publish({ subject: `contract.work.p${partition}`, id, body: {} })));
      };
    }

    it('all goes to rank 0; where the ranks change it goes to the other, and nothing is lost between them', async () => {
      const spec = ranked(0);
      await applyTopology(world.admin, streams, [spec]);
      const [one, other] = [await replica(1, [spec]), await replica(0, [spec])];
      const send = await publisher();
      await send(20);
      await waitUntil('all came', () => one.got.size + other.got.size === 20);
      expect([one.got.size, other.got.size]).toEqual([0, 20]);

      [one.rank, other.rank] = [0, 1];
      let sent = 20;
      const goToOneAlone = async (count: number): Promise<boolean> => {
        const before = other.got.size;
        await send(count);
        sent += count;
        await waitUntil('all came', () => one.got.size + other.got.size === sent);
        return other.got.size === before;
      };
      // What the other has asked for already at its old rank is served first.
      await waitUntil('the ranks have changed', () => goToOneAlone(1));
      await waitUntil('and stay so', () => goToOneAlone(20));
    });

    it('ranks swap under load: each message is worked on, and at most once while nobody dies', async () => {
      const spec = ranked(0, { ackWaitMs: 2 * PATIENCE_MS });
      await applyTopology(world.admin, streams, [spec]);
      const [one, other] = [await replica(0, [spec]), await replica(1, [spec])];
      const send = await publisher();
      for (let round = 0; round < 10; round++) {
        [one.rank, other.rank] = [other.rank, one.rank];
        await send(100);
      }
      await waitUntil('all came', () => one.got.size + other.got.size >= 1_000);
      expect(one.got.size + other.got.size).toBe(1_000);
    });

    it(`the first dies: the next is served within ${TAKE_OVER_MS} ms`, async () => {
      const spec = ranked(0, { ackWaitMs: 2 * PATIENCE_MS });
      await applyTopology(world.admin, streams, [spec]);
      const send = await publisher();
      const tookMs: number[] = [];
      let next = await replica(0, [spec]);
      for (let deaths = 0; deaths < DEATHS; deaths++) {
        const first = next;
        first.rank = 0;
        next = await replica(1, [spec]);
        await waitUntil('the first is served', async () => {
          await send(1);
          return first.got.size > 0;
        });
        const gotBefore = next.got.size;
        const died = performance.now();
        await first.connection.close();
        // Until the server has noticed it gives to the dead: that message comes again after `ackWaitMs`, the ones behind it at once.
        await waitUntil('the next is served', async () => {
          await send(1);
          return next.got.size > gotBefore;
        });
        tookMs.push(Math.min(...[...next.got.values()].slice(gotBefore)) - died);
      }
      expect(Math.min(...tookMs)).toBeLessThan(TAKE_OVER_MS);
    });

    it(`${PARTITIONS} partitions between two replicas that have nothing to do cost two requests a second for each binding at most`, async () => {
      const specs = Array.from({ length: PARTITIONS }, (_, n) => ranked(n));
      await applyTopology(world.admin, streams, specs);
      const replicas = [await replica(0, specs), await replica(1, specs)];
      const asked = (): number => replicas.reduce((sum, { connection }) => sum + connection.stats().outMsgs, 0);
      const [before, from] = [asked(), performance.now()];
      await waitUntil('each has asked twice more', () => asked() - before >= PARTITIONS * replicas.length * 2);
      const perSecond = ((asked() - before) * 1_000) / (performance.now() - from);
      expect(perSecond).toBeLessThan(PARTITIONS * replicas.length * 2);
    });
  });
});
