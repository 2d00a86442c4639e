import { describe, expect, it } from '@jest/globals';
import { createMemoryBus } from '@cairn/bus-memory';
import { busStreams, metricDeclarations, metricNames, type WorkDesk } from '@cairn/contracts';
import { createMemoryEventStore, type MemoryEventStore, type StoreFaults, type TailFault } from '@cairn/event-store-memory';
import { idOf, sha256HexOfBytes, type Id, type StoredEvent } from '@cairn/kernel';
import { createMemoryArtifacts, Pcg32, Scheduler, seededIds, seededRandomness, WORLD } from '@cairn/simulated';
import { assembleGateway, type Gateway } from '../assemble.js';
import { historyOf, told } from '../spec/histories.js';
import { walk } from '../spec/random-runs.js';
import { withDigests } from '../spec/with-digests.js';
import { MetricTotals } from './metric-totals.js';
import { lifecycleMetricsOf } from './recompute.js';

const TOKEN = 'c'.repeat(64);
const runOf = (i: number): Id => idOf('run', 'default', 'w', String(i));

/** Random runs, some of them waiting, with the digests that their deciders would have written. */
function histories(count: number): StoredEvent[][] {
  const random = new Pcg32(11n);
  return Array.from({ length: count }, (_, i) => {
    const events = walk(
      runOf(i),
      Array.from({ length: 60 }, () => random.uint32() % 10_000),
    );
    return historyOf(
      runOf(i),
      withDigests(
        runOf(i),
        events.map((event, atS) => ({ atS, events: [event] })),
      ),
    );
  });
}

/** A gateway on memory adapters in virtual time, with metrics that can be compared. Nobody asks its desk for anything. */
class World {
  readonly scheduler = new Scheduler();
  readonly artifacts = createMemoryArtifacts();
  readonly bugs: unknown[] = [];
  readonly store: MemoryEventStore;
  totals = new MetricTotals(metricDeclarations);
  private readonly clock = this.scheduler.clockOf(WORLD);
  private readonly bus = createMemoryBus({ clock: this.clock, streams: busStreams });
  private gateway: Gateway;

  constructor(faults: StoreFaults = {}) {
    this.store = createMemoryEventStore({ faults });
    this.gateway = this.assemble();
    this.gateway.start();
  }

  /** Another process in the first one's place: it has counted nothing yet. */
  async restart(): Promise<void> {
    await this.gateway.stop();
    this.totals = new MetricTotals(metricDeclarations);
    this.gateway = this.assemble();
    this.gateway.start();
  }

  async scrape(): Promise<{ readonly whole: boolean; readonly samples: ReadonlyMap<string, number> }> {
    const told = this.gateway.tellMetrics();
    let whole: boolean | undefined;
    void told.then((answer) => (whole = answer));
    while (whole === undefined) await this.pass(1);
    return { whole, samples: new Map([...this.totals.samples()].filter(([name]) => !name.startsWith(metricNames.projectionLag))) };
  }

  pass = (ms: number): Promise<number> => this.scheduler.drain(this.scheduler.now + ms);

  private assemble(): Gateway {
    const random = new Pcg32(7n);
    return assembleGateway({
      store: this.store,
      bus: this.bus,
      artifacts: this.artifacts,
      clock: this.clock,
      ids: seededIds(random),
      randomness: seededRandomness(random),
      metrics: this.totals,
      desk: {} as WorkDesk,
      config: { namespaces: ['default'], token: TOKEN, hosts: [], origins: [] },
      onBug: (bug) => this.bugs.push(bug),
    });
  }
}

/** Appends the events of all runs in turns, each as the append that it was. */
async function appendAll(store: MemoryEventStore, all: readonly (readonly StoredEvent[])[]): Promise<void> {
  for (let at = 0; all.some((events) => at < events.length); at++) {
    for (const events of all) {
      const event = events[at];
      if (event !== undefined) await store.append(event.stream, at === 0 ? 'no_stream' : at - 1, [event]);
    }
  }
}

describe('the lifecycle metrics of a gateway', () => {
  it('are those that the history gives, though its tail repeats and ends, and again after a restart (U-20, E-4)', async () => {
    const random = new Pcg32(3n);
    const tail = (): TailFault | undefined => {
      const drawn = random.uint32() % 10;
      return drawn < 5 ? { kind: 'repeats', events: 40 } : drawn === 9 ? { kind: 'ends' } : undefined;
    };
    const world = new World({ tail });
    const all = histories(16);
    for (let i = 0; i < all.length; i += 4) {
      await appendAll(world.store, all.slice(i, i + 4));
      await world.pass(1_500);
    }
    const expected = lifecycleMetricsOf(world.store.allEvents());
    expect([...expected.keys()].filter((name) => name.startsWith('cairn_resumes_total')).length).toBeGreaterThan(3);
    await world.pass(60_000);
    expect((await world.scrape()).samples).toEqual(expected);
    await world.restart();
    await world.pass(60_000);
    expect((await world.scrape()).samples).toEqual(expected);
    expect(world.bugs).toEqual([]);
  });

  it('are shown whole: a scrape waits for what was stored before it', async () => {
    const world = new World();
    await appendAll(world.store, histories(6));
    expect(await world.scrape()).toEqual({ whole: true, samples: lifecycleMetricsOf(world.store.allEvents()) });
  });

  it('are refused while the history is folded after a start, for at most a minute', async () => {
    let away = true;
    const world = new World({ tail: () => (away ? { kind: 'ends' } : undefined) });
    await appendAll(world.store, histories(2));
    expect((await world.scrape()).whole).toBe(false);
    await world.pass(60_000);
    expect((await world.scrape()).whole).toBe(true); // Trouble may not hide the numbers for ever.
    away = false;
    await world.pass(2_000);
    expect((await world.scrape()).samples).toEqual(lifecycleMetricsOf(world.store.allEvents()));
  });

  describe('count a resume when it is known where it went on from:', () => {
    const ARTIFACT = new TextEncoder().encode('"an offer"');
    const resumed = historyOf(
      runOf(0),
      withDigests(runOf(0), [
        {
          atS: 0,
          events: [
            told.started(),
            told.checkpoint('wait.wait', 'wait', '', [`sha256:${sha256HexOfBytes(ARTIFACT)}`]),
            told.waitOpened(runOf(0), 'wait'),
          ],
        },
        { atS: 60, events: [told.waitTriggered(runOf(0), 'wait'), told.waitSatisfied(runOf(0), 'wait'), told.completed('ok')] },
      ]),
    );
    const resumes = (samples: ReadonlyMap<string, number>): [string, number][] =>
      [...samples].filter(([name]) => name.startsWith('cairn_resumes_total'));
    const counted = (from: string): [string, number][] => [
      [`cairn_resumes_total{from="${from}",ns="default",outcome="success",trigger="event"}`, 1],
    ];
    const worldWith = async (faults?: StoreFaults): Promise<World> => {
      const world = new World(faults);
      await world.artifacts.put(ARTIFACT);
      await world.store.append(resumed[0]!.stream, 'no_stream', resumed);
      return world;
    };

    it('checkpoint', async () => {
      expect(resumes((await (await worldWith()).scrape()).samples)).toEqual(counted('checkpoint'));
    });

    it('full_fold if its artifact has rotted', async () => {
      const world = await worldWith();
      world.artifacts.corrupt(sha256HexOfBytes(ARTIFACT), new TextEncoder().encode('"another offer"'));
      expect(resumes((await world.scrape()).samples)).toEqual(counted('full_fold'));
      expect(world.bugs).toEqual([]);
    });

    it('not before the store and the artifacts are back', async () => {
      let unreadable = true;
      const world = await worldWith({ read: () => unreadable });
      world.artifacts.setOutage(true);
      expect(resumes((await world.scrape()).samples)).toEqual([]);
      unreadable = false;
      expect(resumes((await world.scrape()).samples)).toEqual([]);
      world.artifacts.setOutage(false);
      expect(resumes((await world.scrape()).samples)).toEqual(counted('checkpoint'));
      expect(world.bugs).toEqual([]);
    });
  });
});
