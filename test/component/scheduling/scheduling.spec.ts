import { describe, expect, it } from '@jest/globals';
import type { RunCommand } from '@cairn/domain-run';
import { createMemoryEventStore, type TailFault } from '@cairn/event-store-memory';
import { World } from './world.js';

const HOUR_MS = 3_600_000;

/** Starts by event, then waits for a document of the same key. */
const approval = {
  cairn: 1,
  name: 'approval',
  version: '1.0.0',
  input: { type: 'object', required: ['vendor'], properties: { vendor: { type: 'string' } } },
  on: [{ event: 'vendor.requested', key: '${event.data.vendor}', input: { vendor: '${event.data.vendor}' } }],
  steps: [
    {
      id: 'document',
      wait: {
        any: [{ event: { type: 'document.received', key: '${run.key}', where: "event.data.kind == 'w8'" } }, { signal: 'skip' }],
        deadline: '2h',
        onDeadline: { value: 'none' },
        staleAfter: '1h',
      },
    },
  ],
};

const requested = { type: 'vendor.requested.v1', id: 'r1', data: { vendor: 'V-1042' } };
const received = { type: 'document.received.v1', id: 'd1', key: 'V-1042', data: { kind: 'w8' } };

async function worldWith(...documents: { readonly name: string }[]): Promise<World> {
  const world = await new World().start();
  for (const document of documents) expect(await world.apply(document)).toMatchObject({ kind: 'applied' });
  return world;
}

describe('an event that starts a run', () => {
  it('starts it once per key, for ever (I-29)', async () => {
    const world = await worldWith(approval);
    const run = world.runIdOf('approval', 'V-1042');
    expect(await world.send(requested)).toMatchObject({ outcome: 'started', runs: [{ run, branch: 'main' }] });
    expect(await world.send(requested)).toMatchObject({ outcome: 'started', count: 1 }); // B-14: the same receipt.
    expect(await world.send({ ...requested, id: 'r2' })).toMatchObject({ outcome: 'attached', runs: [{ run }] });
    expect(world.events('RunStarted')).toHaveLength(1);
    expect(world.events('RunStarted')[0]).toMatchObject({ causationId: world.received('r1')?.receiptId });
  });

  it('refuses input that breaks the schema, with pointer and rule', async () => {
    const world = await worldWith({
      ...approval,
      on: [{ event: 'vendor.requested', input: '${event.data}' }],
      steps: [{ id: 'go', task: { queue: 'q' } }],
    } as never);
    const receipt = await world.send({ ...requested, data: { vendor: 7 } });
    expect(receipt).toMatchObject({ outcome: 'refused', problem: { code: 'input_invalid', errors: [{ pointer: '/input/vendor' }] } });
  });

  it('refuses the same id with another body and leaves the first one as it is', async () => {
    const world = await worldWith(approval);
    await world.send(requested);
    const other = { ...requested, data: { vendor: 'V-9' } };
    expect(await world.send(other)).toMatchObject({ outcome: 'refused', problem: { code: 'idempotency_conflict' } });
    expect(await world.send(other)).toMatchObject({ outcome: 'refused' });
    expect(await world.send(requested)).toMatchObject({ outcome: 'started', count: 2 });
    expect(world.events('RunStarted')).toHaveLength(1);
  });

  it('starts what was accepted while execution was away', async () => {
    const world = await worldWith(approval);
    await world.peer.stop();
    await expect(world.send(requested)).rejects.toMatchObject({ code: 'ask_timeout' });
    expect(world.received('r1')).toBeDefined(); // P-1: accepted is appended.
    await world.peer.start();
    await world.pass(20_000);
    expect(await world.send(requested)).toMatchObject({ outcome: 'started' });
  });
});

describe('an event that our own tail does not tell of in time', () => {
  it('is answered as pending while somebody still listens, and the sweep brings it to its end', async () => {
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    let late = false;
    const tail = (): TailFault | undefined => (late ? { kind: 'lags', until } : undefined);
    const world = await new World(new Set(), createMemoryEventStore({ faults: { tail } })).start();
    await world.apply(approval);
    late = true;
    expect(await world.send(requested)).toMatchObject({ outcome: 'pending' });
    late = false;
    release();
    await world.pass(20_000);
    expect(await world.send(requested)).toMatchObject({ outcome: 'started' });
  });
});

describe('an event that a wait wants', () => {
  it('wakes the run', async () => {
    const world = await worldWith(approval);
    await world.send(requested);
    const run = world.runIdOf('approval', 'V-1042');
    expect(await world.send(received)).toMatchObject({ outcome: 'woke', runs: [{ run, wait: 'document' }] });
    expect((await world.peer.stateOf(run)).end).not.toBeNull();
  });

  it('is kept when it comes first, and wakes the run when its wait opens', async () => {
    const world = await worldWith(approval);
    await world.run('approval', { key: 'other', input: { vendor: 'other' } }); // Somebody's wait names the type.
    await world.pass(1_000);
    expect(await world.send(received)).toMatchObject({ outcome: 'kept', keptUntil: expect.any(String) });
    await world.send(requested);
    await world.pass(1_000);
    expect(await world.receipt(received)).toMatchObject({ outcome: 'woke', count: 2 });
    expect(world.events('WaitTriggered')).toHaveLength(1);
    expect(world.events('WaitTriggered')[0]).toMatchObject({ data: { kept: true } });
  });

  it('is taken when it came behind the event that started the run, however much later the run could begin (F-37)', async () => {
    const world = await worldWith(approval);
    await world.peer.stop();
    await expect(world.send(requested)).rejects.toMatchObject({ code: 'ask_timeout' });
    expect(await world.send(received)).toMatchObject({ outcome: 'kept' });
    await world.pass(60_000);
    await world.peer.start();
    await world.pass(20_000);
    expect(world.events('WaitTriggered')).toHaveLength(1);
    await world.restartScheduling();
    expect(await world.receipt(received)).toMatchObject({ outcome: 'woke' });
  });

  it('is not taken when it came before the run started, beyond the tolerated skew', async () => {
    const world = await worldWith(approval);
    await world.send(received);
    await world.pass(6_000);
    await world.send(requested);
    await world.pass(10_000);
    expect(world.events('WaitTriggered')).toHaveLength(0);
  });

  it('that nearly fits says which clause kept it out, and wakes nobody', async () => {
    const world = await worldWith(approval);
    await world.send(requested);
    const run = world.runIdOf('approval', 'V-1042');
    expect(await world.send({ ...received, id: 'd2', key: 'v-1024' })).toMatchObject({
      outcome: 'near_miss',
      nearMisses: [{ run, wait: 'document', clause: 'key', expected: 'V-1042', got: 'v-1024' }],
      keptUntil: expect.any(String),
    });
    expect(await world.send({ ...received, id: 'd3', data: { kind: 'w9' } })).toMatchObject({
      outcome: 'near_miss',
      nearMisses: [{ clause: 'where', got: { 'event.data.kind': 'w9' } }],
    });
    const { key: _, ...keyless } = received;
    expect(await world.send({ ...keyless, id: 'd5' })).toMatchObject({
      outcome: 'near_miss',
      nearMisses: [{ clause: 'key', expected: 'V-1042', got: null }],
    });
    expect(await world.send({ ...received, id: 'd4', key: 'X-7' })).toMatchObject({ outcome: 'kept', nearMisses: [] });
    expect(world.events('WaitTriggered')).toHaveLength(0);
  });

  it('that nobody names is unmatched', async () => {
    const world = await worldWith(approval);
    expect(await world.send({ type: 'weather.changed', id: 'w1' })).toMatchObject({ outcome: 'unmatched', count: 1 });
    expect(world.events('EventKept')).toHaveLength(0);
  });

  it('may be large: its body is an artifact, durable before its receipt', async () => {
    const world = await worldWith(approval);
    await world.send(requested);
    const big = { ...received, data: { kind: 'w8', text: 'x'.repeat(10_000) } };
    expect(await world.send(big)).toMatchObject({ outcome: 'woke' });
    expect(world.received('d1')).toMatchObject({ dataRef: { mediaType: 'application/json' } });
  });
});

describe('signals', () => {
  it('wake their run, are kept for one that does not wait, and are told apart for none and for an ended one (B-16)', async () => {
    const world = await worldWith(approval, {
      cairn: 1,
      name: 'worker',
      version: '1.0.0',
      steps: [{ id: 'go', task: { queue: 'q' } }],
    } as never);
    const [working] = (await world.run('worker', { key: 'k' }, 's1')).runs;
    expect(await world.signal(working!.run, 'hold', 'g1')).toMatchObject({ outcome: 'kept' });
    expect(await world.signal(world.runIdOf('approval', 'nobody'), 'hold', 'g2')).toMatchObject({
      outcome: 'refused',
      problem: { code: 'run_not_found' },
    });
    await world.send(requested);
    const run = world.runIdOf('approval', 'V-1042');
    expect(await world.signal(run, 'skip', 'g3')).toMatchObject({ outcome: 'woke', runs: [{ run }] });
    expect(await world.signal(run, 'skip', 'g4')).toMatchObject({ outcome: 'late', problem: { code: 'run_ended' } });
    expect(await world.signal(run, 'skip', 'g3')).toMatchObject({ outcome: 'woke', count: 1 }); // B-19.
  });
});

describe('times', () => {
  it('marks a wait stale and expires it at its deadline, by the clock that counts', async () => {
    const world = await worldWith(approval);
    await world.send(requested);
    await world.pass(HOUR_MS + 1_000);
    expect(world.events('WaitStale')).toHaveLength(1);
    expect(world.events('WaitExpired')).toHaveLength(0);
    await world.pass(HOUR_MS);
    const [expired] = world.events('WaitExpired');
    expect(expired).toMatchObject({ causationId: world.events('WaitOpened')[0]?.eventId });
    expect(world.events('RunCompleted')).toHaveLength(1);
  });

  it('fires what fell due while it was down, once, after a restart (I-31)', async () => {
    const world = await worldWith(approval);
    await world.send(requested);
    await world.settle(world.scheduling.stop());
    await world.pass(3 * HOUR_MS);
    expect(world.events('WaitExpired')).toHaveLength(0);
    world.scheduling = world.assemble();
    await world.settle(world.scheduling.start());
    await world.pass(10_000);
    expect(world.events('WaitExpired')).toHaveLength(1);
  });

  it('rings what piled up in order and in bursts, each once (F-10)', async () => {
    const world = await worldWith(approval);
    for (let i = 0; i < 250; i++) {
      await world.run('approval', { key: `K-${i}`, input: { vendor: 'v' } }, `s${i}`);
      await world.pass(1);
    }
    await world.settle(world.scheduling.stop());
    await world.pass(3 * HOUR_MS);
    world.scheduling = world.assemble();
    await world.settle(world.scheduling.start());
    await world.pass(10_000);
    const opened = world.events('WaitOpened').map(({ data }) => data['waitId']);
    const expired = world.events('WaitExpired');
    expect(expired.map(({ data }) => data['waitId'])).toEqual(opened);
    const perInstant = new Map<string, number>();
    for (const { at } of expired) perInstant.set(at, (perInstant.get(at) ?? 0) + 1);
    expect(Math.max(...perInstant.values())).toBeLessThanOrEqual(100);
  });

  it('rings again when execution says it is early', async () => {
    const world = await worldWith(approval);
    await world.send(requested);
    world.scheduler.setClock('late', -60_000);
    await world.peer.stop();
    const lagging = world.withPeerClock(world.scheduler.clockOf('late'));
    await lagging.start();
    await world.pass(2 * HOUR_MS + 30_000);
    expect(world.events('WaitExpired')).toHaveLength(0);
    await world.pass(36_000); // A minute of lag, and the pause between two rings.
    expect(world.events('WaitExpired')).toHaveLength(1);
  });
});

describe('definitions', () => {
  it('are what they were when first applied', async () => {
    const world = await worldWith(approval);
    expect(await world.apply(approval)).toMatchObject({ kind: 'unchanged', revision: 0 });
    expect(await world.apply({ ...approval, goal: 'another' } as never)).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'version_conflict' },
    });
    expect(await world.apply({ ...approval, version: '1.1.0', goal: 'another' } as never)).toMatchObject({ kind: 'applied', revision: 1 });
    expect(await world.apply({ name: 'approval' })).toMatchObject({ kind: 'rejected', rejection: { code: 'definition_invalid' } });
  });

  it('that do not exist start nothing', async () => {
    const world = await worldWith();
    expect(await world.run('nothing', {})).toMatchObject({ outcome: 'refused', problem: { code: 'workflow_not_found' } });
  });

  it('find the events that were kept before them', async () => {
    const waiting = { ...approval, on: [] };
    const world = await worldWith(waiting as never);
    const early = { type: 'document.received', id: 'd9', key: 'K', data: { vendor: 'V' } };
    expect(await world.send(early)).toMatchObject({ outcome: 'kept' });
    await world.pass(1_000);
    await world.apply({
      ...approval,
      name: 'late',
      on: [{ event: 'document.received', key: '${event.key}', input: '${event.data}' }],
    } as never);
    await world.pass(1_000);
    expect(await world.receipt(early)).toMatchObject({ outcome: 'started' });
  });
});

describe('what is no event', () => {
  it('is refused with every field that is wrong', async () => {
    const world = await worldWith();
    const receipt = await world.ask('cairn.default.in.a.b', { specversion: '0.3', id: '', source: '/s', type: 'a.b' });
    expect(receipt).toMatchObject({
      outcome: 'refused',
      problem: { code: 'event_invalid', errors: [{ pointer: '/specversion' }, { pointer: '/id' }] },
    });
    expect(world.bus.deadLetters()).toHaveLength(1);
  });

  it('is refused on its receipt when its type is not where it was sent', async () => {
    const world = await worldWith();
    const body = { specversion: '1.0', id: 'x', source: '/s', type: 'a.c', data: null };
    expect(await world.ask('cairn.default.in.a.b', body)).toMatchObject({ outcome: 'refused', problem: { code: 'subject_mismatch' } });
  });
});

describe('the sweep', () => {
  it('takes in what a run emitted and nobody published', async () => {
    const emitting = {
      cairn: 1,
      name: 'teller',
      version: '1.0.0',
      steps: [{ id: 'tell', emit: { type: 'vendor.filed', key: 'K', data: { n: 1 } } }],
    };
    const world = await worldWith(emitting as never);
    await world.run('teller', { key: 'k' });
    await world.pass(6_000);
    const told = world.events('EventReceived').find(({ data }) => data['type'] === 'vendor.filed');
    expect(told).toMatchObject({ data: { source: '/cairn/default/teller', key: 'K', via: 'emit', data: { n: 1 } } });
  });

  it('asks with ids of its own each time, so that no bus swallows a ring', async () => {
    const world = await worldWith(approval);
    await world.send(requested);
    await world.send(received);
    expect(new Set(world.peer.commands.map(({ id }) => id)).size).toBe(world.peer.commands.length);
    expect(world.peer.commands.map(({ type }) => type as RunCommand['type'])).toEqual(['StartRun', 'WakeRun']);
  });

  it('answers an event that comes again in the very millisecond, when everything about the first was said', async () => {
    const world = await new World().start();
    const send = () =>
      world.bus.ask(
        {
          subject: 'cairn.default.in.spec.unheard',
          id: `m-${++sent}`,
          body: { specversion: '1.0', id: 'again', source: '/spec', type: 'spec.unheard' },
        },
        5_000,
      );
    let sent = 0;
    const [first, second] = [await inThisMillisecond(world, send()), await inThisMillisecond(world, send())];
    expect(first).toMatchObject({ outcome: 'unmatched' });
    expect(second).toEqual(first);
  });
});

/** Lets everything happen that needs no time. */
async function inThisMillisecond<T>(world: World, promise: Promise<T>): Promise<T | 'time must pass'> {
  let result: T | 'time must pass' = 'time must pass';
  void promise.then((value) => (result = value));
  for (let round = 0; round < 20 && result === 'time must pass'; round++) await world.pass(0);
  return result;
}
