import { createMemoryBus } from '@cairn/bus-memory';
import {
  busStreams,
  subjects,
  type CommandAnswer,
  type CommandMessage,
  type ReviewAnswer,
  type ReviewCommandMessage,
  type ReviewVerb,
  type ReviewView,
} from '@cairn/contracts';
import { compileDefinition } from '@cairn/domain-definition';
import { evolveReview, reviewView, type ReviewState } from '@cairn/domain-review';
import { createMemoryEventStore } from '@cairn/event-store-memory';
import { assembleExecution, type Execution } from '@cairn/execution';
import { assembleHumanReview, type HumanReview } from '@cairn/human-review';
import {
  idOf,
  partitionOf,
  policyStream,
  receiptStream,
  reviewStream,
  runStream,
  sealAppend,
  workflowStream,
  type Json,
  type JsonObject,
  type Principal,
  type StoredEvent,
} from '@cairn/kernel';
import { collectHistory, defaultLimits, verifyRun, type Violation } from '@cairn/oracle';
import { ASK_DEADLINE_MS, type IncomingMessage } from '@cairn/ports';
import { createMemoryArtifacts, createRecordingMetrics, Pcg32, Scheduler, seededIds, seededRandomness, WORLD } from '@cairn/simulated';

export const NS = 'default';
export const RUN = idOf('run', NS, 'w', 'k');
const AT = '2026-01-01T00:00:00.000Z';
export const person = (name: string, more: Partial<Principal> = {}): Principal => ({
  id: `user:${name}`,
  roles: ['reviewer'],
  groups: [],
  ...more,
});

/** human-review and execution on one memory store and a memory bus in virtual time; the spec is who started the run, and the people. */
export class ReviewWorld {
  readonly scheduler = new Scheduler();
  readonly clock = this.scheduler.clockOf(WORLD);
  readonly store = createMemoryEventStore();
  readonly bus = createMemoryBus({ clock: this.clock, streams: busStreams });
  readonly metrics = createRecordingMetrics();
  private readonly artifacts = createMemoryArtifacts();
  private readonly random = new Pcg32(5n);
  private asked = 0;
  private execution: Execution | undefined;
  private humanReview: HumanReview | undefined;

  async startExecution(): Promise<void> {
    const { store, bus, artifacts, clock, metrics, random } = this;
    this.execution = assembleExecution({
      store,
      bus,
      artifacts,
      disposables: artifacts,
      clock,
      metrics,
      randomness: seededRandomness(random),
    });
    await this.settle(this.execution.start());
  }

  async startHumanReview(): Promise<void> {
    const { store, bus, artifacts, clock, metrics, random } = this;
    const ports = { store, bus, artifacts, disposables: createMemoryArtifacts(), clock, metrics };
    this.humanReview = assembleHumanReview({ ...ports, ids: seededIds(random), randomness: seededRandomness(random) });
    await this.settle(this.humanReview.start());
  }

  async stopHumanReview(): Promise<void> {
    if (this.humanReview !== undefined) await this.settle(this.humanReview.stop());
    this.humanReview = undefined;
  }

  async stopExecution(): Promise<void> {
    if (this.execution !== undefined) await this.settle(this.execution.stop());
    this.execution = undefined;
  }

  async stop(): Promise<void> {
    await this.stopHumanReview();
    await this.stopExecution();
    await this.settle(this.bus.close());
  }

  /** A run of these steps begins, started over HTTP by `starter`, on a definition of `author`. */
  async startRun(steps: readonly unknown[], { starter = 'user:local', author = 'user:local' } = {}): Promise<void> {
    const compiled = compileDefinition({ cairn: 1, name: 'w', version: '1.0.0', steps });
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
    const { definition, hash } = compiled;
    const applied = { ns: NS, name: 'w', version: '1.0.0', hash, definition };
    await this.append(workflowStream(NS, 'w'), author, 'DefinitionApplied', applied as unknown as JsonObject);
    const policy = { cairn: 1, policy: 'default', buckets: {} };
    await this.append(policyStream(NS, 'default'), 'service:retry-policy', 'PolicyApplied', {
      ns: NS,
      name: 'default',
      version: 1,
      hash: 'sha256:0',
      policy,
    });
    const receiptId = idOf('receipt', NS, '/cairn/http', 's');
    const received = {
      receiptId,
      source: '/cairn/http',
      id: 's',
      type: 'cairn.run.start.v1',
      extensions: { cairnactor: starter },
      bodyDigest: '0'.repeat(64),
      via: 'http',
    };
    await this.append(receiptStream(receiptId), 'service:scheduling', 'EventReceived', received);
    await this.command('StartRun', {
      ns: NS,
      workflow: 'w',
      runId: RUN,
      key: 'k',
      input: { id: 'I-1', amount: 5 },
      definition: { name: 'w', version: '1.0.0', hash, revision: 0 },
      policies: [],
      cause: { receiptId, source: '/cairn/http', id: 's', type: 'cairn.run.start.v1' },
    });
    await this.pass(100);
  }

  /** What another service asks of execution. */
  async command(type: string, data: JsonObject): Promise<CommandAnswer> {
    const id = idOf('command', ++this.asked);
    const body: CommandMessage = { id, ns: NS, runId: RUN, type, actor: 'service:spec', causationId: id, data };
    const subject = subjects.executionCommand(NS, partitionOf(RUN), type);
    return (await this.settle(
      this.bus.ask({ subject, id, body: body as unknown as JsonObject }, ASK_DEADLINE_MS),
    )) as unknown as CommandAnswer;
  }

  /** A handler's good answer to an attempt. */
  async reply(attemptId: string): Promise<void> {
    const { desk } = this.running;
    const [task] = await this.settle(desk.poll(NS, 'q', { max: 1, waitMs: 1_000 }));
    if (task?.data?.lease.attemptId !== attemptId) throw new Error('no such task');
    const reply = {
      specversion: '1.0',
      id: `${attemptId}:end`,
      source: '/spec/1',
      type: 'cairn.reply.succeeded.v1',
      data: { lease: task.data.lease, output: {} },
    } as const;
    await this.settle(desk.reply(NS, attemptId, reply));
  }

  private get running(): Execution {
    if (this.execution === undefined) throw new Error('execution does not run');
    return this.execution;
  }

  /** What a person asks, as the gateway hands it on. */
  async ask(by: Principal, verb: ReviewVerb, data: JsonObject = {}, step = 'ask'): Promise<ReviewAnswer> {
    return this.settle(this.asking(by, verb, data, step));
  }

  /** The same, not waited for: two of them race. */
  asking(by: Principal, verb: ReviewVerb, data: JsonObject = {}, step = 'ask', n = 1): Promise<ReviewAnswer> {
    const reviewId = idOf('review', RUN, 'main', step, n);
    const body: ReviewCommandMessage = { reviewId, by, data };
    const message = {
      subject: subjects.command(NS, 'human-review', `${verb}-review`),
      id: `ask-${++this.asked}`,
      body: body as unknown as JsonObject,
    };
    return this.bus.ask(message, ASK_DEADLINE_MS) as unknown as Promise<ReviewAnswer>;
  }

  /** What the bus is told of reviews from here on. */
  async hearReviews(): Promise<readonly IncomingMessage[]> {
    const heard: IncomingMessage[] = [];
    const spec = {
      durable: 'spec',
      busStream: 'CAIRN_EVT',
      filters: ['cairn.*.evt.review.>'],
      ackWaitMs: 1_000,
      bugsMax: 1,
      inFlightMax: 8,
    };
    const listening = this.bus.consume(spec, (message) => {
      heard.push(message);
      return Promise.resolve({ kind: 'done' });
    });
    await this.settle(listening);
    return heard;
  }

  /** A decision about the review as it is now. */
  async decide(by: Principal, verdict: string, more: JsonObject = {}, step = 'ask'): Promise<ReviewAnswer> {
    return this.settle(this.asking(by, 'decide', { ...(await this.seen(step)), verdict, reason: 'so', ...more }, step));
  }

  /** What a decision must name. */
  async seen(step = 'ask'): Promise<JsonObject> {
    const { subjectDigest, revision } = await this.review(step);
    return { subjectDigest, revision };
  }

  async review(step = 'ask', n = 1, branch = 'main'): Promise<ReviewView> {
    const events = await this.store.read(reviewStream(idOf('review', RUN, branch, step, n)));
    const state = events.reduce<ReviewState | undefined>((before, event) => evolveReview(before, event), undefined);
    if (state === undefined) throw new Error(`there is no review ${n} of ${step}`);
    return reviewView(state) as unknown as ReviewView;
  }

  async types(): Promise<string[]> {
    return (await this.store.read(runStream(RUN, 'main'))).map(({ type }) => type);
  }

  async last(): Promise<StoredEvent | undefined> {
    return (await this.store.read(runStream(RUN, 'main'))).at(-1);
  }

  /** What the run breaks of the invariants about people: its other documents are stubs. */
  async violations(when: 'live' | 'quiescent' = 'quiescent'): Promise<readonly Violation[]> {
    const history = await collectHistory(this.store, RUN);
    if (history === undefined) throw new Error('there is no run');
    const people = ['I-5', 'I-23', 'I-24', 'I-25', 'I-26', 'I-27'];
    return verifyRun(history, defaultLimits, when).filter(({ invariant, says }) => people.includes(invariant) && !says.includes('receipt'));
  }

  async pass(ms: number): Promise<void> {
    await this.scheduler.drain(this.scheduler.now + ms);
  }

  /** Lets virtual time pass until the promise is settled, ten minutes at most. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    promise.then(
      () => (settled = true),
      () => (settled = true),
    );
    await this.pass(0);
    for (let passed = 0; !settled && passed < 600_000; passed += 5) await this.pass(5);
    return promise;
  }

  private async append(stream: string, actor: string, type: string, data: { readonly [field: string]: Json }): Promise<void> {
    const context = { stream, expected: 'no_stream', prevHash: '', ns: NS, at: AT, actor, causationId: 'c' } as const;
    await this.store.append(stream, 'no_stream', sealAppend(context, [{ type, version: 1, data }]));
  }
}

/** A world in which both services run, and is stopped in any case. */
export async function inWorld(play: (world: ReviewWorld) => Promise<void>): Promise<void> {
  const world = new ReviewWorld();
  try {
    await world.startExecution();
    await world.startHumanReview();
    await play(world);
  } finally {
    await world.stop();
  }
}
