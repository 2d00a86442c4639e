import { describe, expect, it } from '@jest/globals';
import { idOf, type Json } from '@cairn/kernel';
import { World } from './world.js';

const RUN = idOf('run', 'default', 'work', 'k');
const work = {
  cairn: 1,
  name: 'work',
  version: '1.0.0',
  steps: [{ id: 'go', wait: { any: [{ signal: 'go' }], noDeadline: { because: 'a spec' } } }],
};

async function worldWithRun(): Promise<World> {
  const world = await new World().start();
  await world.apply(work);
  expect(await world.run('work', { key: 'k' })).toMatchObject({ outcome: 'started', runs: [{ run: RUN }] });
  return world;
}

/** The run's events from a control on, in order. */
const controls = (world: World): readonly string[] =>
  world.store
    .allEvents()
    .filter(({ type }) => ['RunPaused', 'RunUnpaused', 'RunCancelled'].includes(type))
    .map(({ type }) => type);

describe('what is asked of a whole run', () => {
  it('pauses, unpauses and cancels it, once for each event', async () => {
    const world = await worldWithRun();
    expect(await world.control(RUN, 'pause', { data: { reason: 'month end' } })).toMatchObject({
      outcome: 'attached',
      runs: [{ run: RUN }],
    });
    expect(await world.control(RUN, 'pause', { data: { reason: 'month end' } })).toMatchObject({ outcome: 'attached', count: 1 });
    expect(await world.control(RUN, 'unpause')).toMatchObject({ outcome: 'attached' });
    expect(await world.control(RUN, 'cancel')).toMatchObject({ outcome: 'attached' });
    expect(controls(world)).toEqual(['RunPaused', 'RunUnpaused', 'RunCancelled']);
    const [paused] = world.events('RunPaused');
    expect(paused).toMatchObject({
      actor: 'service:scheduling',
      causationId: world.received('pause-1')?.receiptId,
      data: { reason: 'month end', by: 'operator' },
    });
    expect((await world.peer.stateOf(RUN)).end).toMatchObject({ outcome: 'cancelled' });
  });

  it('names who asked where it came over HTTP', async () => {
    const world = await worldWithRun();
    await world.control(RUN, 'cancel', { cairnvia: 'http' });
    expect(world.events('RunCancelled')).toMatchObject([{ actor: 'user:local' }]);
    expect(world.received('cancel-1')).toMatchObject({ via: 'http', type: 'cairn.run.cancel.v1', control: { runId: RUN, verb: 'cancel' } });
  });

  it.each(['pause', 'unpause', 'cancel'] as const)('answers a second %s as the first, and appends nothing (B-46)', async (verb) => {
    const world = await worldWithRun();
    const first = await world.control(RUN, verb);
    const before = controls(world);
    expect(await world.control(RUN, verb, { id: 'again' })).toMatchObject({ outcome: first.outcome, runs: first.runs });
    expect(controls(world)).toEqual(before);
  });

  it.each(['pause', 'unpause', 'cancel'] as const)('is late for a run that has ended otherwise (%s)', async (verb) => {
    const world = await worldWithRun();
    if (verb === 'cancel') await world.signal(RUN, 'go', 's1');
    else await world.control(RUN, 'cancel');
    const before = controls(world);
    expect(await world.control(RUN, verb)).toMatchObject({ outcome: 'late', runs: [{ run: RUN }], problem: { code: 'run_ended' } });
    expect(controls(world)).toEqual(before);
  });

  it('is refused for a run that is not there', async () => {
    const world = await worldWithRun();
    const receipt = await world.control(idOf('run', 'default', 'work', 'other'), 'cancel');
    expect(receipt).toMatchObject({ outcome: 'refused', problem: { code: 'run_not_found' } });
  });

  it.each<[string, Json, string]>([
    ['a reason that is no text', { reason: 7 }, '/data/reason'],
    ['an empty reason', { reason: '' }, '/data/reason'],
    ['a reason with controls', { reason: 'a\u0007' }, '/data/reason'],
    ['a reason of 1,025 characters', { reason: 'x'.repeat(1_025) }, '/data/reason'],
    ['another field', { why: 'so' }, '/data/why'],
    ['a list', [], '/data'],
  ])('is refused with %s, and named', async (_, data, pointer) => {
    const world = await worldWithRun();
    const receipt = await world.control(RUN, 'pause', { data });
    expect(receipt).toMatchObject({ outcome: 'refused', problem: { code: 'control_invalid', errors: [{ pointer }] } });
    expect(controls(world)).toEqual([]);
  });

  it('is done by the sweep where execution was away', async () => {
    const world = await worldWithRun();
    await world.peer.stop();
    await expect(world.control(RUN, 'pause')).rejects.toMatchObject({ code: 'ask_timeout' });
    expect(controls(world)).toEqual([]);
    await world.peer.start();
    await world.pass(20_000);
    expect(controls(world)).toEqual(['RunPaused']);
    expect(await world.control(RUN, 'pause')).toMatchObject({ outcome: 'attached', count: 1 });
  });

  it('is not done again by the sweep where only the answer was lost, and the run goes on since', async () => {
    const world = await worldWithRun();
    world.peer.mute = true;
    await expect(world.control(RUN, 'pause')).rejects.toMatchObject({ code: 'ask_timeout' });
    world.peer.mute = false;
    expect(controls(world)).toEqual(['RunPaused']);
    await world.control(RUN, 'unpause');
    await world.pass(20_000);
    expect(controls(world)).toEqual(['RunPaused', 'RunUnpaused']);
    expect(await world.control(RUN, 'pause')).toMatchObject({ outcome: 'attached', count: 1 });
  });
});

describe('an event that reschedules a wait', () => {
  const wait = idOf('wait', RUN, 'go');
  const opened = (world: World): readonly Json[] => world.events('WaitOpened').map(({ data }) => data['deadline'] ?? null);

  const reschedule = (world: World, id: string, deadline: string) =>
    world.control(RUN, 'wait.reschedule', { id, data: { wait, deadline, reason: 'they are slow' } });

  it.each([
    ['later', '10s', '60s', 30_000, 40_000],
    ['sooner', '60s', '10s', 9_000, 3_000],
  ])('lets scheduling ring at the new time, %s than the one before, and not at that', async (_, first, then, quietMs, restMs) => {
    const world = await worldWithRun();
    expect(await reschedule(world, 'one', first)).toMatchObject({ outcome: 'attached', runs: [{ run: RUN, wait }] });
    await reschedule(world, 'two', then);
    expect(opened(world)).toHaveLength(3);
    await world.pass(quietMs);
    expect(world.events('WaitExpired')).toEqual([]);
    await world.pass(restMs);
    expect(world.events('WaitExpired')).toHaveLength(1);
  });

  it('is not done again by the sweep where only the answer was lost, and the wait has other times since', async () => {
    const world = await worldWithRun();
    world.peer.mute = true;
    await expect(reschedule(world, 'one', '60s')).rejects.toMatchObject({ code: 'ask_timeout' });
    world.peer.mute = false;
    await reschedule(world, 'two', '90s');
    const before = opened(world);
    await world.pass(20_000);
    expect(opened(world)).toEqual(before);
  });

  it.each<[string, Json, string]>([
    ['no time', { wait, reason: 'x' }, '/data/deadline'],
    ['a time that is none', { wait, deadline: 'soon', reason: 'x' }, '/data/deadline'],
    ['a time in the year 275760', { wait, staleAfter: '275760-01-01T00:00:00Z', reason: 'x' }, '/data/staleAfter'],
    ['no reason', { wait, deadline: '1d' }, '/data/reason'],
    ['a wait that is no id', { wait: 'go', deadline: '1d', reason: 'x' }, '/data/wait'],
  ])('is refused with %s, and named (B-20)', async (_, data, pointer) => {
    const world = await worldWithRun();
    expect(await world.control(RUN, 'wait.reschedule', { data })).toMatchObject({
      outcome: 'refused',
      problem: { code: 'reschedule_invalid', errors: [{ pointer }] },
    });
    expect(opened(world)).toHaveLength(1);
  });
});
