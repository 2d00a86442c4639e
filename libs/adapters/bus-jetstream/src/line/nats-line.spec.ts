import { afterEach, describe, expect, it } from '@jest/globals';
import type { Clock, Line } from '@cairn/ports';
import { waitUntil, wallClock } from '@cairn/testkit';
import type { NatsConnection } from '@nats-io/nats-core';
import { connectTo } from '../spec/nats-bus.js';
import { restart, withNats } from '../spec/with-nats.js';
import { createNatsLine, OTHERS_RETURN_MS } from './nats-line.js';

const nothing = new Uint8Array(0);

describe('a line whose server flaps', () => {
  withNats('a line whose server flaps', (world) => {
    const open: NatsConnection[] = [];
    afterEach(async () => {
      for (const connection of open.splice(0)) await connection.close();
    });

    async function line(clock: Clock = wallClock): Promise<Line> {
      const connection = await connectTo(world.nats.url, 'line');
      open.push(connection);
      return createNatsLine(connection, clock);
    }

    it('fails what is asked as bus_unavailable while it is away, and listens again when it is back', async () => {
      const [one, other] = [await line(), await line()];
      let heard = 0;
      other.listen('line.a', () => heard++);
      await open[1]!.flush();
      const asked = one.ask('line.a', nothing, 30_000);
      asked.catch(() => undefined);
      await waitUntil('it was heard', () => heard === 1);
      await world.nats.kill();
      await expect(asked).rejects.toMatchObject({ code: 'bus_unavailable' });
      await expect(one.ask('line.a', nothing, 30_000)).rejects.toMatchObject({ code: 'bus_unavailable' });
      one.tell('line.a', nothing); // Of no use later, so it is not kept.
      await restart(world);
      const again = async (): Promise<boolean> => {
        await one.ask('line.a', nothing, 20).catch(() => undefined);
        return heard > 1;
      };
      await waitUntil('it hears again', again);
    });

    it('calls nobody gone until everybody has had time to come back', async () => {
      let late = 0;
      const one = await line({ ...wallClock, monotonicMs: () => late });
      const other = await line();
      await open[1]!.flush();
      await restart(world);
      await waitUntil('it is back', () =>
        one.ask('line.nobody', nothing, 100).catch(({ code }: { code: string }) => code === 'no_consumer'),
      );
      await open[1]!.close();
      let gone = 0;
      one.ifGone(other.aliveAt, () => gone++);
      await open[0]!.flush();
      expect(gone).toBe(0);
      late = OTHERS_RETURN_MS;
      one.ifGone(other.aliveAt, () => gone++);
      await waitUntil('it was found gone', () => gone === 1);
    });

    it.each(['cairn.acme.in.forged', '$JS.API.STREAM.DELETE.CONTRACT_WORK', '_INBOX.>', ''])(
      'whoever says that it lives at %p is never written to',
      async (aliveAt) => {
        const one = await line();
        const seen: string[] = [];
        const spy = world.admin.subscribe('>', { callback: (_, { subject }) => void seen.push(subject) });
        await world.admin.flush();
        one.ifGone(aliveAt, () => seen.push('gone'));
        one.tell('line.last', nothing);
        await waitUntil('the last came', () => seen.includes('line.last'));
        spy.unsubscribe();
        expect(seen).toEqual(['line.last']);
      },
    );
  });
});
