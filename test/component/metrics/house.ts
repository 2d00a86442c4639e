import { createMemoryBus, type MemoryBus } from '@cairn/bus-memory';
import {
  busStreams,
  metricDeclarations,
  subjects,
  type CloudEvent,
  type Receipt,
  type ReplyData,
  type ReplyFailure,
  type RunControl,
  type TaskData,
} from '@cairn/contracts';
import { createMemoryEventStore } from '@cairn/event-store-memory';
import { assembleExecution, type Execution } from '@cairn/execution';
import { assembleGateway, withKnownLabels, type Gateway } from '@cairn/gateway';
import { idOf, type Id, type Json, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { createPromMetrics, type PromMetrics } from '@cairn/metrics-prom';
import { assembleRetryPolicy, type RetryPolicy } from '@cairn/retry-policy';
import { assembleScheduling, type Scheduling } from '@cairn/scheduling';
import { createMemoryArtifacts, Pcg32, Scheduler, seededIds, seededRandomness, WORLD } from '@cairn/simulated';

export const NS = 'default';
const HANDLER = 'spec/1';
/** Nothing is lost here, so nobody needs to look often: virtual hours pass faster. */
const SWEEP_MS = 600_000;

interface Services {
  readonly bus: MemoryBus;
  readonly metrics: PromMetrics;
  readonly execution: Execution;
  readonly scheduling: Scheduling;
  readonly retryPolicy: RetryPolicy;
  readonly gateway: Gateway;
}

/** What a handler makes of a task. */
export type Worked = { readonly output: Json } | { readonly failure: ReplyFailure };

/** All services on one memory store in virtual time; the spec is their handler, their publisher and who scrapes them. */
export class House {
  readonly scheduler = new Scheduler();
  readonly store = createMemoryEventStore();
  private readonly clock = this.scheduler.clockOf(WORLD);
  private readonly artifacts = createMemoryArtifacts();
  private readonly random = new Pcg32(7n);
  private services: Services | undefined;
  private messages = 0;

  async start(): Promise<void> {
    const { store, clock, artifacts, random } = this;
    const bus = createMemoryBus({ clock, streams: busStreams, randomness: seededRandomness(random) });
    const metrics = createPromMetrics(withKnownLabels(metricDeclarations, [NS]));
    const ids = seededIds(random);
    const ports = { store, bus, artifacts, disposables: artifacts, clock, ids, randomness: seededRandomness(random), metrics };
    const execution = assembleExecution(ports);
    const services: Services = {
      bus,
      metrics,
      execution,
      scheduling: assembleScheduling({ ...ports, config: { sweepIntervalMs: SWEEP_MS } }),
      retryPolicy: assembleRetryPolicy({ ...ports, config: { namespaces: [NS], sweepIntervalMs: SWEEP_MS } }),
      gateway: assembleGateway({
        ...ports,
        desk: execution.desk,
        config: { namespaces: [NS], token: 'c'.repeat(64), hosts: [], origins: [] },
        onBug: (bug) => {
          throw bug;
        },
      }),
    };
    this.services = services;
    await this.settle(services.retryPolicy.start());
    await this.settle(execution.start());
    await this.settle(services.scheduling.start());
    services.gateway.start();
  }

  /** Everything stops, forgets what it held in memory, and starts again on the same store. */
  async restart(): Promise<void> {
    const { gateway, scheduling, retryPolicy, execution, bus } = this.running;
    for (const stop of [gateway.stop(), scheduling.stop(), retryPolicy.stop(), execution.stop()]) await this.settle(stop);
    await this.settle(bus.close());
    await this.start();
  }

  /** Everything that happens within so many milliseconds from now. */
  async pass(ms: number): Promise<void> {
    await this.scheduler.drain(this.scheduler.now + ms);
  }

  async apply(document: { readonly name: string }): Promise<void> {
    const { kind, ...answer } = await this.ask(subjects.command(NS, 'scheduling', 'ApplyDefinition'), {
      name: document.name,
      document: document as unknown as Json,
    });
    if (kind !== 'applied') throw new Error(`${document.name}: ${kind} ${JSON.stringify(answer)}`);
  }

  async run(workflow: string, key: string): Promise<Id> {
    const body = { specversion: '1.0', id: `start-${workflow}-${key}`, source: '/spec', type: 'cairn.run.start.v1', data: { key } };
    await this.ask(subjects.runStart(NS, workflow), body);
    return idOf('run', NS, workflow, key);
  }

  publish(type: string, key: string): Promise<Receipt> {
    const body = { specversion: '1.0', id: `${type}-${key}`, source: '/spec', type, cairnkey: key, data: {} };
    return this.ask(subjects.inbound(NS, type), body);
  }

  control(run: Id, verb: RunControl): Promise<Receipt> {
    return this.ask(subjects.runControl(NS, run, verb), { specversion: '1.0', id: `${verb}-${run}`, source: '/spec', type: 'run.control' });
  }

  /** Takes the next task of a queue, waiting for it up to `waitMs`, and answers it as `make` says of its run. */
  async work(queue: string, make: (run: Id) => Worked, waitMs = 60_000): Promise<void> {
    const { desk } = this.running.execution;
    const [task] = await this.settle(desk.poll(NS, queue, { max: 1, waitMs }));
    if (task?.data === undefined) throw new Error(`no task on ${queue}`);
    const reply = replyTo(task.data, make(String(task['cairnrun'])));
    const taken = await this.settle(desk.reply(NS, task.data.lease.attemptId, reply));
    if (taken !== 'accepted') throw new Error(`a reply of ${queue} was ${taken}`);
  }

  /** The exposition as text: exact, or nothing (503). */
  async exposition(): Promise<string> {
    const { gateway, metrics } = this.running;
    if (!(await this.settle(gateway.tellMetrics()))) throw new Error('the history is still being folded');
    return metrics.render();
  }

  events(): readonly StoredEvent[] {
    return this.store.allEvents();
  }

  private get running(): Services {
    if (this.services === undefined) throw new Error('not started');
    return this.services;
  }

  private async ask<T = JsonObject>(subject: string, body: JsonObject): Promise<T> {
    return (await this.settle(this.running.bus.ask({ subject, id: `message-${++this.messages}`, body }, 5_000))) as T;
  }

  /** Lets virtual time pass until the promise is settled, ten minutes at most. */
  private async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    promise.then(
      () => (settled = true),
      () => (settled = true),
    );
    await this.pass(0);
    for (let passed = 0; !settled && passed < 600_000; passed += 5) await this.pass(5);
    return promise;
  }
}

const replyTo = ({ lease }: TaskData, made: Worked): CloudEvent<ReplyData> => ({
  specversion: '1.0',
  id: `${lease.attemptId}:end`,
  source: `/${HANDLER}`,
  type: 'output' in made ? 'cairn.reply.succeeded.v1' : 'cairn.reply.failed.v1',
  data: { lease, ...made },
});
