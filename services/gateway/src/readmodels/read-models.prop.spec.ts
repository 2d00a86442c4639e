import { describe, expect, it } from '@jest/globals';
import { createMemoryEventStore } from '@cairn/event-store-memory';
import { idOf, type Id, type StoredEvent } from '@cairn/kernel';
import { createRecordingMetrics } from '@cairn/simulated';
import { systemClock } from '@cairn/system';
import fc from 'fast-check';
import { LifecycleMetrics } from '../lifecycle-metrics/lifecycle-metrics.js';
import { history } from '../spec/histories.js';
import { walk } from '../spec/random-runs.js';
import { Changes } from './changes.js';
import { Follower } from './follower.js';
import { ReadModels } from './read-models.js';

/**
 * Goal: lists and lifecycle metrics follow from the history alone (C-TRUTH). Method: random runs, mixed in every way, folded in one go,
 * with parts told again, and live on a store; then something is folded that the history does not have.
 */
const runOf = (n: number): Id => idOf('run', 'default', 'w', `k${n}`);
const runs = fc.array(fc.array(fc.nat(10_000), { maxLength: 40 }), { minLength: 1, maxLength: 4 });

/** Events of all runs, each run's in their order, taken in turns as `order` says. */
function mixed(picks: readonly (readonly number[])[], order: readonly number[]): StoredEvent[] {
  const rest = picks.map((own, n) => [...history(runOf(n), walk(runOf(n), own))]);
  const all: StoredEvent[] = [];
  for (let i = 0; rest.some(({ length }) => length > 0); i++) {
    const left = rest.filter(({ length }) => length > 0);
    all.push(...(left[(order[i % order.length] ?? 0) % left.length]?.splice(0, 1) ?? []));
  }
  return all;
}

function models(): ReadModels {
  const nobody = new Changes(systemClock);
  return new ReadModels({ changes: nobody, ends: nobody }, new LifecycleMetrics(createRecordingMetrics()));
}

function folded(events: readonly StoredEvent[], into = models()): ReadModels {
  for (const event of events) into.fold(event);
  return into;
}

describe('read models', () => {
  it('are the same lines when parts of the history come again, and for one that tells nobody', () => {
    fc.assert(
      fc.property(runs, fc.array(fc.nat(3), { minLength: 1 }), fc.nat(), (picks, order, cut) => {
        const events = mixed(picks, order);
        const from = cut % (events.length + 1);
        const lines = folded(events).lines();
        expect(folded([...events, ...events.slice(from)]).lines()).toEqual(lines);
        expect(folded([...events.slice(0, from), ...events]).lines()).toEqual(lines);
        expect(folded(events, models().fresh()).lines()).toEqual(lines);
      }),
      { numRuns: 60 },
    );
  });

  it('made anew equal the live ones, and take the place of one that knows what did not happen', async () => {
    const store = createMemoryEventStore();
    const metrics = createRecordingMetrics();
    const nobody = new Changes(systemClock);
    const live = new ReadModels({ changes: nobody, ends: nobody }, new LifecycleMetrics(metrics));
    const events = mixed(
      [
        [1, 5, 9, 196, 4],
        [2, 3, 7],
        [8, 8, 8, 393],
      ],
      [0, 1, 2],
    );
    for (const { stream } of events.filter(({ revision }) => revision === 0))
      await store.append(
        stream,
        'no_stream',
        events.filter((event) => event.stream === stream),
      );
    const follower = new Follower({ store, clock: systemClock, models: live, onFault: () => undefined });
    await follower.start();
    const right = live.lines();
    expect(await follower.rebuild()).toMatchObject({ equal: true, events: events.length });
    for (const event of history(runOf(9), walk(runOf(9), [1, 1, 1]))) live.fold(event);
    const report = await follower.rebuild();
    expect(report.equal).toBe(false);
    expect(report.differences.some((line) => line.startsWith(`- ["run","${runOf(9)}"`))).toBe(true);
    expect(live.lines()).toEqual(right);
    expect(live.row(runOf(9))).toBeUndefined();
    expect(await follower.rebuild()).toMatchObject({ equal: true });
    await follower.stop();
  });
});
