import { afterEach, describe, expect, it } from '@jest/globals';
import { Relay, RELAY_WINDOW } from '@cairn/application';
import { createMemoryBus, type MemoryBus } from '@cairn/bus-memory';
import { createMemoryEventStore, type MemoryEventStore } from '@cairn/event-store-memory';
import type { JsonObject } from '@cairn/kernel';
import {
  BusFault,
  done,
  type Bound,
  type Bus,
  type Clock,
  type ConsumerSpec,
  type Handle,
  type Metrics,
  type OutgoingMessage,
} from '@cairn/ports';
import { sealed, streamNo, waitUntil, wallClock } from '@cairn/testkit';

const BOOKMARK = 'relay/spec';
const FACTS = { name: 'FACTS', subjects: ['fact.*'], retention: 'limits' } as const;

/** A bus that keeps its acknowledgements back until they are let go, in whatever order. */
class SlowBus implements Bus {
  readonly sent: string[] = [];
  readonly waiting = new Map<string, (() => void)[]>();
  refuses = (_id: string): boolean => false;

  constructor(private readonly bus: Bus) {}

  async publish(message: OutgoingMessage): Promise<void> {
    this.sent.push(message.id);
    if (this.refuses(message.id)) throw new BusFault('bus_unavailable', 'refused');
    await this.bus.publish(message);
    await new Promise<void>((resolve) => this.waiting.set(message.id, [...(this.waiting.get(message.id) ?? []), resolve]));
  }

  ask(message: OutgoingMessage, deadlineMs: number): Promise<JsonObject> {
    return this.bus.ask(message, deadlineMs);
  }

  consume(spec: ConsumerSpec, handle: Handle): Promise<Bound> {
    return this.bus.consume(spec, handle);
  }

  close(): Promise<void> {
    return this.bus.close();
  }

  acknowledge(...ids: readonly string[]): void {
    for (const id of ids) {
      for (const acknowledged of this.waiting.get(id) ?? []) acknowledged();
      this.waiting.delete(id);
    }
  }
}

interface World {
  readonly store: MemoryEventStore;
  readonly bus: MemoryBus;
  readonly slow: SlowBus;
  readonly got: string[];
  readonly errors: string[];
}

describe('the relay', () => {
  const relays: Relay[] = [];
  const worlds: World[] = [];
  afterEach(async () => {
    const acknowledging = setInterval(() => worlds.forEach(({ slow }) => slow.acknowledge(...slow.waiting.keys())), 1);
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    clearInterval(acknowledging);
    for (const { store, bus } of worlds.splice(0)) await Promise.all([store.close(), bus.close()]);
  });

  async function world(): Promise<World> {
    const bus = createMemoryBus({ clock: wallClock, streams: [FACTS] });
    const got: string[] = [];
    const spec = { durable: 'd', busStream: 'FACTS', filters: ['fact.*'], ackWaitMs: 5_000, bugsMax: 1, inFlightMax: 1_000 };
    await bus.consume(spec, async ({ id }) => (got.push(id), done));
    const its = { store: createMemoryEventStore(), bus, slow: new SlowBus(bus), got, errors: [] };
    worlds.push(its);
    return its;
  }

  function relayOf({ store, slow, errors }: World, clock: Clock = wallClock): Relay {
    const metrics: Metrics = {
      count: (_, { kind } = {}) => void errors.push(String(kind)),
      gauge: () => undefined,
      observe: () => undefined,
    };
    const relay = new Relay({
      name: 'spec',
      types: ['Told', 'Silent'],
      messagesOf: async ({ type, data }) => (type === 'Told' ? [{ subject: 'fact.a', id: String(data['note']), body: {} }] : []),
      store,
      bus: slow,
      clock,
      metrics,
    });
    relays.push(relay);
    return relay;
  }

  let streams = 0;
  const append = async ({ store }: World, ...notes: readonly string[]): Promise<void> => {
    const stream = streamNo(streams++);
    await store.append(stream, 'no_stream', sealed(stream, 'no_stream', notes));
  };
  const told = (from: number, count: number): string[] => Array.from({ length: count }, (_, n) => `Told:${from + n}`);

  it('sends in commit order, so many at once and no more, and goes on as they are acknowledged', async () => {
    const its = await world();
    await append(its, ...told(0, RELAY_WINDOW + 3));
    await relayOf(its).start();
    await waitUntil('the window is full', () => its.slow.sent.length === RELAY_WINDOW);
    its.slow.acknowledge('Told:1', 'Told:2'); // The window is what lies between the first that is open and the last that was sent.
    await new Promise((resolve) => setImmediate(resolve)); // Whatever it might still do by promises alone is done.
    expect(its.slow.sent).toEqual(told(0, RELAY_WINDOW));
    its.slow.acknowledge('Told:0');
    await waitUntil('three more', () => its.slow.sent.length === RELAY_WINDOW + 3);
    expect(its.slow.sent).toEqual(told(0, RELAY_WINDOW + 3));
  });

  it('lets what is under way come through when it is stopped, and its bookmark with it, past what tells nothing', async () => {
    const its = await world();
    await append(its, 'Told:a', 'Silent:b', 'Told:c', 'Told:d', 'Silent:e');
    const relay = relayOf(its);
    await relay.start();
    await waitUntil('all are sent', () => its.slow.waiting.size === 3);
    its.slow.acknowledge('Told:d', 'Told:a');
    const stopped = relay.stop();
    its.slow.acknowledge('Told:c'); // Under way when it was stopped: counted if it comes through.
    await stopped;
    const whole = await its.store.readBookmark(BOOKMARK);
    await relayOf(its).start();
    await append(its, 'Told:f');
    await waitUntil('the new one is sent', () => its.slow.sent.includes('Told:f'));
    expect(its.slow.sent).toEqual(['Told:a', 'Told:c', 'Told:d', 'Told:f']);
    expect(whole).toBeDefined();
  });

  it('is found by its successor where it was, however it ended: what was not acknowledged comes again, nothing is skipped', async () => {
    const its = await world();
    await append(its, ...told(0, 5));
    const first = relayOf(its);
    await first.start();
    await waitUntil('all are sent', () => its.slow.waiting.size === 5);
    its.slow.acknowledge('Told:0', 'Told:2', 'Told:3', 'Told:4');
    await waitUntil('the first is bookmarked', () => its.store.readBookmark(BOOKMARK));
    its.slow.sent.length = 0; // It dies here; its successor knows the bookmark alone.
    await relayOf(its).start();
    await waitUntil('the rest is sent again', () => its.slow.sent.length === 4);
    expect(its.slow.sent).toEqual(told(1, 4));
  });

  it('repeats what the bus refused until it has it, and only then goes past it', async () => {
    const its = await world();
    its.slow.refuses = (id) => id === 'Told:1' && its.errors.length < 2;
    await append(its, ...told(0, 3));
    const relay = relayOf(its);
    await relay.start();
    await waitUntil('it was sent a third time', () => its.slow.sent.filter((id) => id === 'Told:1').length === 3);
    expect(its.slow.sent.slice(0, 3)).toEqual(told(0, 3));
    expect(its.errors).toEqual(['fault', 'fault']);
    await waitUntil('the consumer has all', () => new Set(its.got).size === 3);
  });

  it('stops while the bus refuses everything and the window is full', async () => {
    const its = await world();
    its.slow.refuses = () => true;
    await append(its, ...told(0, RELAY_WINDOW * 2));
    const relay = relayOf(its);
    await relay.start();
    await waitUntil('the window is full', () => its.slow.sent.length >= RELAY_WINDOW);
    await relay.stop();
    expect(await its.store.readBookmark(BOOKMARK)).toBeUndefined();
    expect(relay.lagMs()).toBe(0);
  });

  it('may be stopped and started again, and goes on after what another has bookmarked meanwhile', async () => {
    const its = await world();
    const [one, other] = [relayOf(its), relayOf(its)];
    const acknowledged = async (id: string): Promise<void> => {
      await waitUntil(`${id} is sent`, () => its.slow.waiting.has(id));
      its.slow.acknowledge(id);
    };
    await append(its, 'Told:a');
    await one.start();
    await acknowledged('Told:a');
    await one.stop();
    await append(its, 'Told:b');
    await other.start();
    await acknowledged('Told:b');
    await other.stop();
    await append(its, 'Told:c');
    await one.start();
    await acknowledged('Told:c');
    expect(its.slow.sent).toEqual(['Told:a', 'Told:b', 'Told:c']);
  });

  it('says how old the oldest event is that the bus has not', async () => {
    const its = await world();
    const relay = relayOf(its, { ...wallClock, now: () => Date.parse('2026-01-01T00:00:07.000Z') }); // Sealed at 00:00:00.
    await relay.start();
    expect(relay.lagMs()).toBe(0);
    await append(its, 'Told:a');
    await waitUntil('it is sent', () => its.slow.waiting.size === 1);
    expect(relay.lagMs()).toBe(7_000);
    its.slow.acknowledge('Told:a');
    await waitUntil('it has caught up', () => relay.lagMs() === 0);
  });
});
