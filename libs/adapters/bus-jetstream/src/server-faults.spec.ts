import { afterEach, describe, expect, it } from '@jest/globals';
import { done, StoreFault, type ConsumerSpec } from '@cairn/ports';
import { PATIENCE_MS, waitUntil } from '@cairn/testkit';
import { PAUSE_MIN_MS } from './fault-gate.js';
import type { JetStreamBus, JetStreamBusOptions } from './jetstream-bus.js';
import { busOn, streams, workSpec } from './spec/nats-bus.js';
import { restart, withNats } from './spec/with-nats.js';
import { applyTopology, managerOf } from './topology.js';

const w1 = workSpec('w1');
/** Far above what any of them needs; each waits for a condition, not for time. */
const LIMIT_MS = 120_000;

describe('when the server misbehaves', () => {
  withNats('server faults', (world) => {
    const open: JetStreamBus[] = [];
    afterEach(async () => {
      world.nats.thaw(); // A spec that failed while it was frozen must not take the others with it.
      await Promise.all(open.splice(0).map((bus) => bus.close()));
    });

    /** A bus with one consumer, and the ids that it was given. */
    async function consumer(spec: ConsumerSpec = w1, options: Partial<JetStreamBusOptions> = {}) {
      await applyTopology(world.admin, streams, [spec]);
      const bus = await busOn(world.nats.url, options);
      open.push(bus);
      const got: string[] = [];
      const bound = await bus.consume(spec, async ({ id }) => (got.push(id), done));
      const send = (id: string): Promise<void> => bus.publish({ subject: 'contract.work.a', id, body: {} });
      return { bus, bound, got, send };
    }

    it(
      'kill -9 under load and again on its folder: nothing that was acknowledged is lost (F-15)',
      async () => {
        const { got, send } = await consumer();
        const ids = Array.from({ length: 3_000 }, (_, n) => `k${n}`);
        const waiting = [...ids];
        const acknowledged: string[] = [];
        const publisher = async (): Promise<void> => {
          for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
            await send(id);
            acknowledged.push(id);
          }
        };
        const publishers = Promise.all(Array.from({ length: 32 }, publisher));
        await waitUntil('a part was acknowledged', () => acknowledged.length > 500);
        await restart(world);
        expect(acknowledged.length).toBeLessThan(ids.length);
        await publishers; // None failed: what was unknown was sent again under the same id.
        await waitUntil('all came', () => new Set(got).size === ids.length);
      },
      LIMIT_MS,
    );

    it(
      'a server that is frozen: publishing goes on trying, and the message comes once it thaws (F-14)',
      async () => {
        const { bus, got, send } = await consumer();
        await world.nats.freeze();
        const sent = send('frozen');
        // Never acknowledged: nobody may be told that an answer is to come (P-1).
        const asked = bus.ask({ subject: 'contract.work.a', id: 'asked', body: {} }, 1_300);
        await expect(asked).rejects.toMatchObject({ code: 'bus_unavailable' });
        expect(got).toEqual([]);
        world.nats.thaw();
        await sent;
        await waitUntil('it came', () => got.includes('frozen'));
        expect(got.filter((id) => id === 'frozen')).toHaveLength(1); // Each attempt had the same id.
      },
      LIMIT_MS,
    );

    it(
      'a server that stays away: publishing is a fault within its deadline, and works when it is back',
      async () => {
        const { bus, got, send } = await consumer();
        await world.nats.kill();
        await expect(send('lost')).rejects.toMatchObject({ code: 'bus_unavailable' });
        expect(bus.isUp).toBe(false);
        await restart(world);
        await send('later');
        await waitUntil('it came', () => got.includes('later'));
      },
      LIMIT_MS,
    );

    it(
      'all that the server stored is wiped: refused until the topology is applied, then the same binding goes on',
      async () => {
        const { got, send } = await consumer();
        await restart(world, { wiped: true });
        await expect(send('early')).rejects.toMatchObject({ code: 'no_consumer' });
        await applyTopology(world.admin, streams, [w1]);
        await send('late');
        await waitUntil('it came', () => got.includes('late'));
      },
      LIMIT_MS,
    );

    it(
      'its stream is deleted and made again: the same binding goes on',
      async () => {
        const { got, send } = await consumer();
        await send('before');
        await waitUntil('it came', () => got.length === 1);
        await (await managerOf(world.admin)).streams.delete(w1.busStream);
        await expect(send('between')).rejects.toMatchObject({ code: 'no_consumer' });
        await applyTopology(world.admin, streams, [w1]);
        await send('after');
        await waitUntil('it came', () => got.includes('after'));
      },
      LIMIT_MS,
    );

    it(
      'its consumer is deleted: seen, told, and made again where the process may (F-45)',
      async () => {
        const findings: string[] = [];
        const { got, send } = await consumer(w1, {
          onFinding: (finding, { durable }) => findings.push(`${durable} ${finding}`),
          mend: async (_, spec) => void (await applyTopology(world.admin, streams, [spec])),
        });
        await (await managerOf(world.admin)).consumers.delete(w1.busStream, w1.durable);
        await send('kept');
        await waitUntil('it came', () => got.includes('kept'));
        expect(findings).toEqual(['w1 consumer_gone']);
      },
      LIMIT_MS,
    );

    it(
      'what stands on its way when a consumer stops goes to the next at once, not after ackWaitMs',
      async () => {
        const spec = workSpec('w1', { ackWaitMs: 2 * PATIENCE_MS, inFlightMax: 512 });
        const { bound, bus, got, send } = await consumer(spec);
        const sent = Array.from({ length: 400 }, (_, n) => send(`s${n}`));
        await waitUntil('some came', () => got.length > 20);
        await bound.stop();
        await Promise.all(sent);
        await bus.consume(spec, async ({ id }) => (got.push(id), done));
        await waitUntil('all came', () => new Set(got).size === sent.length);
        expect(got).toHaveLength(sent.length);
      },
      LIMIT_MS,
    );

    it(
      'what takes longer than ackWaitMs is begun once, and what else comes meanwhile is worked on',
      async () => {
        const spec = workSpec('w1', { ackWaitMs: 500 });
        await applyTopology(world.admin, streams, [spec]);
        const bus = await busOn(world.nats.url);
        open.push(bus);
        let finish = (): void => undefined;
        const begun: string[] = [];
        await bus.consume(spec, async ({ id }) => {
          begun.push(id);
          if (id === 'slow') await new Promise<void>((resolve) => (finish = resolve));
          return done;
        });
        const info = async () => (await managerOf(world.admin)).consumers.info(spec.busStream, spec.durable);
        await bus.publish({ subject: 'contract.work.a', id: 'slow', body: {} });
        await waitUntil('it has begun', () => begun.includes('slow'));
        const until = performance.now() + 4 * spec.ackWaitMs;
        let standstillMs = 0; // The longest way of one message, over this process and the server.
        for (let n = 0, from = performance.now(); from < until; n++) {
          await bus.publish({ subject: 'contract.work.a', id: `quick-${n}`, body: {} });
          await waitUntil('the other came', () => begun.includes(`quick-${n}`));
          const now = performance.now();
          [standstillMs, from] = [Math.max(standstillMs, now - from), now];
        }
        expect(begun.filter((id) => id === 'slow')).toHaveLength(1);
        // Who is held up for longer than that by its machine cannot tell that it works.
        if ((await info()).num_redelivered > 0) expect(standstillMs).toBeGreaterThan(spec.ackWaitMs / 4);
        finish();
        await waitUntil('it is settled', async () => (await info()).num_ack_pending === 0);
      },
      LIMIT_MS,
    );

    it(
      'what comes again because the process stood still for a moment begins nothing, and is settled with the first',
      async () => {
        const spec = workSpec('w1', { ackWaitMs: 300 });
        await applyTopology(world.admin, streams, [spec]);
        const bus = await busOn(world.nats.url);
        open.push(bus);
        const finish: (() => void)[] = [];
        await bus.consume(spec, async () => {
          await new Promise<void>((resolve) => finish.push(resolve));
          return done;
        });
        const info = async () => (await managerOf(world.admin)).consumers.info(spec.busStream, spec.durable);
        await bus.publish({ subject: 'contract.work.a', id: 'slow', body: {} });
        await waitUntil('it has begun', () => finish.length === 1);
        const until = performance.now() + 3 * spec.ackWaitMs;
        while (performance.now() < until); // Nothing else turns here: the server hears of no work.
        await waitUntil('it came again', async () => (await info()).num_redelivered > 0);
        await bus.publish({ subject: 'contract.work.a', id: 'next', body: {} });
        await waitUntil('what was sent behind it has begun', () => finish.length === 2);
        for (const one of finish) one();
        await waitUntil('all is settled', async () => (await info()).num_ack_pending === 0);
        expect(finish).toHaveLength(2);
      },
      LIMIT_MS,
    );

    it(
      'what a consumer works on is away: it takes nothing but a probe now and then, and all once it is back',
      async () => {
        await applyTopology(world.admin, streams, [w1]);
        const bus = await busOn(world.nats.url);
        open.push(bus);
        let away = true;
        const tries: number[] = [];
        const got = new Set<string>();
        await bus.consume(w1, async ({ id }) => {
          tries.push(performance.now());
          if (away) throw new StoreFault('store_unavailable', 'away');
          got.add(id);
          return done;
        });
        await Promise.all(Array.from({ length: 200 }, (_, n) => bus.publish({ subject: 'contract.work.a', id: `f${n}`, body: {} })));
        const probes = (): number[] => [...tries.keys()].filter((n) => n > 0 && tries[n]! - tries[n - 1]! >= PAUSE_MIN_MS / 2);
        await waitUntil('it was probed three times', () => probes().length >= 3);
        expect(probes()[2]! + 1).toBeLessThanOrEqual(w1.inFlightMax + 3); // Two hundred that came back by themselves would be tried for ever.
        away = false;
        await waitUntil('all came', () => got.size === 200);
      },
      LIMIT_MS,
    );
  });
});
