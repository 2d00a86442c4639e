import { describe, expect, it } from '@jest/globals';
import { done, StoreFault, type Clock, type ConsumerSpec, type OutgoingMessage, type Settlement } from '@cairn/ports';
import { waitUntil, wallClock } from '@cairn/testkit';
import type { BusFaults } from './bus-faults.js';
import type { BusStreamSpec } from './bus-stream.js';
import { createMemoryBus, type MemoryBus } from './memory-bus.js';

const STREAMS: readonly BusStreamSpec[] = [
  { name: 'FACTS', subjects: ['fact.>'], retention: 'limits', maxAgeMs: 60_000, dedupeWindowMs: 1_000 },
  { name: 'WORK', subjects: ['work.*'], retention: 'work_queue' },
];
const facts: ConsumerSpec = { durable: 'facts', busStream: 'FACTS', filters: ['fact.>'], ackWaitMs: 1_000, bugsMax: 2, inFlightMax: 100 };
const work: ConsumerSpec = { ...facts, durable: 'work', busStream: 'WORK', filters: ['work.*'] };

const message = (id: string, subject = 'fact.a'): OutgoingMessage => ({ subject, id, body: {} });

/** Time that only the spec moves; what is due runs when it is moved. */
class HandClock implements Clock {
  private time = 0;
  private waiting: { at: number; task: () => void }[] = [];
  now = (): number => this.time;
  monotonicMs = (): number => this.time;
  get timers(): number {
    return this.waiting.length;
  }
  after = (delayMs: number, task: () => void) => {
    const timer = { at: this.time + delayMs, task };
    this.waiting.push(timer);
    return { cancel: () => void (this.waiting = this.waiting.filter((other) => other !== timer)) };
  };
  async pass(ms: number): Promise<void> {
    for (const end = this.time + ms; this.time < end; this.time++) {
      const due = this.waiting.filter(({ at }) => at <= this.time);
      this.waiting = this.waiting.filter(({ at }) => at > this.time);
      for (const { task } of due) task();
      await settled();
    }
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Numbers that a seed repeats (Lehmer's generator). */
function seeded(seed: number): { fraction: () => number } {
  let state = seed;
  return { fraction: () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647 };
}

/** Ids in the order in which they came. */
async function collect(bus: MemoryBus, spec = facts, settle: () => Promise<Settlement> = async () => done): Promise<string[]> {
  const ids: string[] = [];
  await bus.consume(spec, ({ id }) => {
    ids.push(id);
    return settle();
  });
  return ids;
}

describe('bus in memory', () => {
  it('delivers without a timer of its own but one that guards what is under way', async () => {
    const clock = new HandClock();
    const bus = createMemoryBus({ clock, streams: STREAMS });
    const ids = await collect(bus);
    for (let i = 0; i < 1_000; i++) await bus.publish(message(`m${i}`));
    await settled();
    expect([ids.length, clock.timers]).toEqual([1_000, 1]);
    await clock.pass(1_001);
    expect(clock.timers).toBe(0);
  });

  it('swallows a repeated id within the window, not after it, never an asked message', async () => {
    const clock = new HandClock();
    const bus = createMemoryBus({ clock, streams: STREAMS });
    const ids = await collect(bus, facts, async () => ({ kind: 'done', answer: {} }));
    await bus.publish(message('m1'));
    await bus.publish(message('m1'));
    await clock.pass(999);
    await bus.publish(message('m1'));
    await clock.pass(2);
    await bus.publish(message('m1'));
    await bus.ask(message('m1'), 10);
    bus.forgetIds();
    await bus.publish(message('m1'));
    await settled();
    expect(ids).toEqual(['m1', 'm1', 'm1', 'm1']);
  });

  it('F-35: a bug is told each time and ends as a dead letter with its reason; so does never', async () => {
    const bugs: unknown[] = [];
    const letters: string[] = [];
    const bus = createMemoryBus({
      clock: wallClock,
      streams: STREAMS,
      onBug: (bug, durable, { id }) => void bugs.push([bug, durable, id]),
      onDead: ({ reason }) => void letters.push(reason),
    });
    const bug = new TypeError('planted');
    await bus.consume(facts, async ({ id }) => {
      if (id === 'm1') throw bug;
      return { kind: 'never', reason: 'malformed' };
    });
    await bus.publish(message('m1'));
    await bus.publish(message('m2'));
    await waitUntil('both are dead', () => bus.deadLetters().length === 2);
    expect(bus.deadLetters()).toEqual([
      { durable: 'facts', message: message('m2'), reason: 'malformed', deliveries: 1 },
      { durable: 'facts', message: message('m1'), reason: '2 bugs, the last: planted', deliveries: 2 },
    ]);
    expect(letters).toEqual(['malformed', '2 bugs, the last: planted']);
    expect(bugs).toEqual([
      [bug, 'facts', 'm1'],
      [bug, 'facts', 'm1'],
    ]);
    await bus.close();
  });

  it('F-37: when the store is away the consumer pauses instead of storming, and then goes on with everything', async () => {
    const clock = new HandClock();
    const bus = createMemoryBus({ clock, streams: STREAMS });
    let away = true;
    const tries = await collect(bus, { ...facts, inFlightMax: 1 }, async () => {
      if (away) throw new StoreFault('store_unavailable', 'away');
      return done;
    });
    for (let i = 0; i < 20; i++) await bus.publish(message(`m${i}`));
    await clock.pass(1_000);
    expect(tries.length).toBeLessThanOrEqual(5);
    away = false;
    tries.length = 0;
    await clock.pass(1_000);
    expect(new Set(tries).size).toBe(20);
    expect(bus.deadLetters()).toEqual([]);
  });

  it('keeps the newest messages of a stream with limits for a durable to come, and none that is too old', async () => {
    const clock = new HandClock();
    const bus = createMemoryBus({ clock, streams: [{ ...STREAMS[0]!, maxAgeMs: 50 }] });
    await bus.publish(message('old'));
    await clock.pass(60);
    await bus.publish(message('new'));
    const ids = await collect(bus);
    await settled();
    expect(ids).toEqual(['new']);
  });

  it('takes overlapping durables on a work queue, and streams that do not exist, for a bug', async () => {
    const bus = createMemoryBus({ clock: wallClock, streams: STREAMS });
    await bus.consume(work, async () => done);
    const broken = expect.objectContaining({ code: 'invariant_broken' });
    await expect(bus.consume({ ...work, durable: 'other', filters: ['work.a'] }, async () => done)).rejects.toEqual(broken);
    await expect(bus.consume({ ...work, busStream: 'NOWHERE' }, async () => done)).rejects.toEqual(broken);
    await bus.close();
  });

  it('F-26: a wipe loses what waits and what is under way; consumers stay bound and get what comes after', async () => {
    const clock = new HandClock();
    const bus = createMemoryBus({ clock, streams: STREAMS });
    const ids = await collect(bus, { ...facts, inFlightMax: 1 }, () => new Promise<Settlement>(() => undefined));
    await bus.publish(message('under way'));
    await bus.publish(message('waiting'));
    await settled();
    bus.wipe();
    await bus.publish(message('after'));
    await clock.pass(500);
    expect(ids).toEqual(['under way', 'after']);
  });

  it('an outage refuses and holds up; afterwards what waited is delivered', async () => {
    const bus = createMemoryBus({ clock: wallClock, streams: STREAMS });
    const ids = await collect(bus);
    const taken = bus.publish(message('m1'));
    bus.setOutage(true);
    await taken;
    await expect(bus.publish(message('m2'))).rejects.toMatchObject({ code: 'bus_unavailable' });
    await settled();
    expect(ids).toEqual([]);
    bus.setOutage(false);
    await settled();
    expect(ids).toEqual(['m1']);
    await bus.close();
  });

  describe('with faults', () => {
    /** 200 messages under a fault plan: what was refused, and the ids in the order in which they came. */
    async function run(faults: BusFaults, seed: number): Promise<{ refused: number; ids: string[] }> {
      const clock = new HandClock();
      const bus = createMemoryBus({ clock, streams: STREAMS, randomness: seeded(seed), faults });
      const ids = await collect(bus, { ...facts, inFlightMax: 10 });
      let refused = 0;
      await Promise.all(Array.from({ length: 200 }, (_, i) => bus.publish(message(`m${i}`)).catch(() => refused++)));
      await clock.pass(500);
      bus.setFaults({});
      await clock.pass(3_000);
      return { refused, ids };
    }
    const inOrder = Array.from({ length: 200 }, (_, i) => `m${i}`);

    it('each does what it says', async () => {
      const dropped = await run({ drop: 0.3 }, 1);
      expect(dropped.ids.length).toBeGreaterThan(100);
      expect(dropped.ids.length).toBeLessThan(180);
      const doubled = await run({ duplicate: 0.3 }, 1);
      expect(new Set(doubled.ids).size).toBe(200);
      expect(doubled.ids.length).toBeGreaterThan(220);
      for (const faults of [{ reorder: 0.5 }, { delay: 0.5, maxDelayMs: 100 }]) {
        const { ids } = await run(faults, 1);
        expect(ids).not.toEqual(inOrder);
        expect([...ids].sort()).toEqual([...inOrder].sort());
      }
      const { refused, ids } = await run({ refuse: 0.3 }, 1);
      expect(refused).toBeGreaterThan(20);
      expect(ids.length).toBe(200 - refused);
      const again = await run({ loseSettlement: 0.3 }, 1);
      expect(new Set(again.ids).size).toBe(200);
      expect(again.ids.length).toBeGreaterThan(205);
    });

    it('a seed repeats exactly, another seed does not', async () => {
      const faults = { drop: 0.1, duplicate: 0.1, delay: 0.2, maxDelayMs: 50, reorder: 0.2, refuse: 0.05, loseSettlement: 0.05 };
      const [one, same, other] = [await run(faults, 7), await run(faults, 7), await run(faults, 8)];
      expect(same).toEqual(one);
      expect(other.ids).not.toEqual(one.ids);
    });

    it('an answer can get lost', async () => {
      const clock = new HandClock();
      const bus = createMemoryBus({ clock, streams: STREAMS, randomness: seeded(1), faults: { loseAnswer: 1 } });
      const ids = await collect(bus, work, async () => ({ kind: 'done', answer: {} }));
      const asked = bus.ask(message('m1', 'work.a'), 20).catch((error: unknown) => error);
      await clock.pass(30);
      expect(await asked).toMatchObject({ code: 'ask_timeout' });
      expect(ids).toEqual(['m1']);
    });
  });
});
