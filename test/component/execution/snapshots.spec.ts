// Goal: a snapshot is used where the history proves it, and nowhere else (C-TRUTH). Method: a run that is long enough for one, made by the
// real service; then the snapshot is changed so that all that vouches for it fits, but not the history.
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Generations } from '@cairn/application';
import { serializeState, SNAPSHOT_VERSION } from '@cairn/domain-run';
import type { Id, StoredEvent } from '@cairn/kernel';
import { createMemoryArtifacts, createRecordingMetrics } from '@cairn/simulated';
import { Documents } from '../../../services/execution/src/driving/documents.js';
import { RunLoader, type LoadedRun } from '../../../services/execution/src/driving/run-loader.js';
import { RunsRebuild } from '../../../services/execution/src/driving/runs-rebuild.js';
import { replyTo, runOf, SESSION, World } from './world.js';

/** Steps one after another, each with its checkpoint: three events a step and more. */
const STEPS = Array.from({ length: 200 }, (_, i) => ({ id: `s${i}`, task: { queue: 'q' }, checkpoint: `c${i}` }));
const RUN = runOf('a');
const NAME = `snapshot/${SNAPSHOT_VERSION}/${RUN}+main`;

describe('a snapshot of a run', () => {
  let world: World;
  let history: readonly StoredEvent[];
  let right: string;

  beforeAll(async () => {
    world = new World(STEPS);
    await world.begin();
    for (let i = 0; i < STEPS.length - 1; i++) {
      const task = await world.taskFor(SESSION);
      await world.settle(world.frame({ queues: {}, replies: [replyTo(task)] }));
    }
    await world.pass(10);
    history = await world.history();
    right = (await world.disposables.getName(NAME)) ?? '';
  });

  /** A cold load, with how many events of the run were read for it. */
  const load = async (): Promise<{ run: LoadedRun; refused: number; read: number; loader: RunLoader }> => {
    const metrics = createRecordingMetrics();
    let read = 0;
    const store = Object.create(world.store) as typeof world.store;
    store.read = async (stream, from, to) => {
      const events = await world.store.read(stream, from, to);
      if (stream.startsWith('run-')) read += events.length;
      return events;
    };
    const loader = new RunLoader(store, world.disposables, new Documents(world.store, createMemoryArtifacts()), metrics);
    const run = await loader.load(RUN);
    return { run, refused: metrics.value('cairn_snapshot_refused_total') || 0, read, loader };
  };

  /** Puts another state in its place. */
  const forge = async (change: (text: string) => string): Promise<void> => {
    const text = Buffer.from((await world.disposables.get(right)) ?? []).toString('utf8');
    const forged = change(text);
    expect(forged).not.toBe(text);
    await world.disposables.setName(NAME, await world.disposables.put(Buffer.from(forged, 'utf8')));
  };

  const whole = async (): Promise<LoadedRun> => {
    const loader = new RunLoader(
      world.store,
      createMemoryArtifacts(),
      new Documents(world.store, createMemoryArtifacts()),
      createRecordingMetrics(),
    );
    return loader.load(RUN);
  };

  it('is taken right before a checkpoint, and spares the events before it', async () => {
    const { run, refused, read } = await load();
    expect(history.length).toBeGreaterThan(500);
    expect(refused).toBe(0);
    expect(read).toBeLessThan(history.length / 2);
    expect(serializeState(run.state)).toBe(serializeState((await whole()).state));
    expect(run.lastHash).toBe(history.at(-1)?.metadata.hash);
  });

  it.each([
    ['a step that never succeeded', (text: string) => text.replaceAll('\\"status\\":\\"succeeded\\"', '\\"status\\":\\"skipped\\"')],
    ['another place in the history', (text: string) => text.replace(/\\"revision\\":(\d+)/, (_, n) => `\\"revision\\":${Number(n) - 3}`)],
    ['another hash before it', (text: string) => text.replace(/"lastHash":"[0-9a-f]{8}/, '"lastHash":"00000000')],
    ['no state at all', () => 'nothing'],
  ])('that says %s is not used, and made right when runs are folded anew', async (_, change) => {
    await forge(change);
    const { run, read, loader } = await load();
    expect(read).toBeGreaterThanOrEqual(history.length);
    expect(serializeState(run.state)).toBe(serializeState((await whole()).state));

    const cache = new Generations<Id, LoadedRun>(10);
    cache.set(RUN, run);
    const rebuild = new RunsRebuild({ clock: world.scheduler.clockOf('execution'), cache, loader, open: () => [RUN] });
    const report = await rebuild.rebuild();
    const unreadable = (await loader.snapshotOf(RUN, 'main')) === undefined; // Then there is none to compare.
    expect(report.equal).toBe(unreadable);
    expect(await rebuild.rebuild()).toMatchObject({ equal: true });
    await world.disposables.setName(NAME, right);
  });

  it('cannot be led astray by a wrong state in the cache either', async () => {
    const { run, loader } = await load();
    const cache = new Generations<Id, LoadedRun>(10);
    cache.set(RUN, { ...run, state: { ...run.state, ledger: { ...run.state.ledger, epoch: 7 } } });
    const rebuild = new RunsRebuild({ clock: world.scheduler.clockOf('execution'), cache, loader, open: () => [] });
    const report = await rebuild.rebuild();
    expect(report).toMatchObject({ fold: 'runs and snapshots', equal: false });
    expect(report.differences[0]).toMatch(new RegExp(`^- \\["cached","${RUN}`));
    expect(cache.get(RUN)).toBeUndefined();
  });
});
