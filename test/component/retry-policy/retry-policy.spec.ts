import { describe, expect, it } from '@jest/globals';
import { createMemoryBus } from '@cairn/bus-memory';
import { busStreams, executionRun, subjects, type CommandAnswer, type CommandMessage } from '@cairn/contracts';
import type { Failure } from '@cairn/domain-run';
import { createMemoryEventStore } from '@cairn/event-store-memory';
import { idOf, runStream, sealAppend, type DomainEvent, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { assembleRetryPolicy, type RetryPolicy } from '@cairn/retry-policy';
import { createMemoryArtifacts, createRecordingMetrics, Pcg32, Scheduler, seededIds, seededRandomness, WORLD } from '@cairn/simulated';

const NS = 'default';
const RUN = idOf('run', NS, 'w', 'k');
const STREAM = runStream(RUN, 'main');
const AT = '2026-01-01T00:00:00.000Z';

/** retry-policy on memory adapters, one run's history, and a peer that records what it is asked, as execution does. */
class World {
  readonly scheduler = new Scheduler();
  readonly clock = this.scheduler.clockOf(WORLD);
  readonly store = createMemoryEventStore();
  readonly bus = createMemoryBus({ clock: this.clock, streams: busStreams });
  readonly metrics = createRecordingMetrics();
  readonly artifacts = createMemoryArtifacts();
  readonly commands: CommandMessage[] = [];
  private readonly random = new Pcg32(11n);

  assemble(): RetryPolicy {
    const { store, bus, artifacts, clock, metrics, random } = this;
    return assembleRetryPolicy({ store, bus, artifacts, clock, metrics, ids: seededIds(random), randomness: seededRandomness(random) });
  }

  async bindPeer(): Promise<void> {
    await this.bus.consume(executionRun, async ({ body }) => {
      const command = body as unknown as CommandMessage;
      this.commands.push(command);
      const decided = (await this.store.read(STREAM)).some(
        ({ type, data }) => type === 'RetryDecided' && data['attemptId'] === command.data['attemptId'],
      );
      if (!decided) await this.append(command.causationId, { type: 'RetryDecided', version: 1, data: command.data });
      const answer: CommandAnswer = decided
        ? { kind: 'nothing', runId: RUN, because: 'duplicate' }
        : { kind: 'accepted', runId: RUN, branch: 'main', revision: 0 };
      return { kind: 'done', answer: answer as unknown as JsonObject };
    });
  }

  async append(causationId: string, ...events: readonly DomainEvent[]): Promise<StoredEvent> {
    const last = (await this.store.read(STREAM)).at(-1);
    const context = {
      stream: STREAM,
      expected: last?.revision ?? 'no_stream',
      prevHash: last?.metadata.hash ?? '',
      ns: NS,
      runId: RUN,
      branch: 'main',
      at: AT,
      actor: 'service:spec',
      causationId,
    } as const;
    const sealed = sealAppend(context, events);
    await this.store.append(STREAM, context.expected, sealed);
    return sealed.at(-1)!;
  }

  /** The n-th attempt begins and fails. */
  async fail(attempt: number, failure: Partial<Failure> & Pick<Failure, 'by'>): Promise<StoredEvent> {
    const attemptId = idOf('attempt', 'entropy', 'work', attempt);
    await this.append('c', {
      type: 'StepStarted',
      version: 1,
      data: { step: 'work', attempt, attemptId, queue: 'q', input: {}, params: {} },
    });
    return this.append('c', {
      type: 'StepFailed',
      version: 1,
      data: { step: 'work', attemptId, failure: { message: 'gone', sideEffect: 'none', ...failure } },
    });
  }

  async tell(failed: StoredEvent): Promise<void> {
    const body = {
      ns: NS,
      runId: RUN,
      branch: 'main',
      revision: failed.revision,
      eventId: failed.eventId,
      event: failed.type,
      at: failed.at,
    };
    await this.bus.publish({ subject: subjects.fact(NS, 'run', 'StepFailed', RUN), id: failed.eventId, body });
  }

  pass(ms: number): Promise<number> {
    return this.scheduler.drain(this.scheduler.now + ms);
  }
}

async function startedWorld(): Promise<World> {
  const world = new World();
  await world.bindPeer();
  await world.assemble().start();
  return world;
}

describe('retry-policy', () => {
  it('gives each namespace its policy once', async () => {
    const world = await startedWorld();
    await world.assemble().start();
    const applied = world.store.allEvents().filter(({ type }) => type === 'PolicyApplied');
    expect(applied).toMatchObject([{ stream: 'policy-default+default', revision: 0, data: { name: 'default', version: 1 } }]);
  });

  it('has a lost handler tried again, with the failure as the cause and the policy pinned', async () => {
    const world = await startedWorld();
    const failed = await world.fail(1, { by: 'lease' });
    await world.tell(failed);
    await world.pass(1);
    expect(world.commands).toMatchObject([
      {
        type: 'ApplyRetryDecision',
        runId: RUN,
        causationId: failed.eventId,
        actor: 'policy:default@1',
        data: {
          step: 'work',
          attemptId: failed.data['attemptId'],
          decision: 'retry',
          policy: { name: 'default', version: 1, revision: 0 },
        },
      },
    ]);
    const notBefore = String(world.commands[0]?.data['notBefore']);
    expect(notBefore >= '2026-01-01T00:00:00.100Z' && notBefore <= '2026-01-01T00:00:00.120Z').toBe(true);
  });

  it('blocks the fifth lost handler, and whatever else fails', async () => {
    const world = await startedWorld();
    await world.tell(await world.fail(5, { by: 'lease' }));
    await world.tell(await world.fail(6, { by: 'handler', bucket: 'rate_limited' }));
    await world.pass(1);
    expect(world.commands.map(({ data }) => [data['decision'], data['bucket']])).toEqual([
      ['block', 'handler_lost'],
      ['block', 'rate_limited'],
    ]);
  });

  it('finds a failure whose fact was lost, also one from before it started', async () => {
    const world = new World();
    await world.bindPeer();
    await world.fail(1, { by: 'lease' });
    await world.assemble().start();
    await world.pass(1);
    expect(world.commands).toHaveLength(1);
    await world.fail(2, { by: 'lease' });
    await world.pass(6_000);
    expect(world.commands).toHaveLength(2);
    await world.pass(60_000);
    expect(world.commands).toHaveLength(2); // What is decided is not judged again.
  });

  it('asks again until execution has answered', async () => {
    const world = new World();
    await world.assemble().start();
    await world.fail(1, { by: 'lease' });
    await world.pass(20_000);
    await world.bindPeer();
    await world.pass(20_000);
    expect(world.store.allEvents().filter(({ type }) => type === 'RetryDecided')).toHaveLength(1);
  });

  it('leaves alone what ended', async () => {
    const world = new World();
    await world.bindPeer();
    await world.fail(1, { by: 'lease' });
    await world.append('c', { type: 'RunFailed', version: 1, data: { bucket: 'timeout', message: 'over' } });
    await world.assemble().start();
    await world.pass(20_000);
    expect(world.commands).toHaveLength(0);
  });
});
