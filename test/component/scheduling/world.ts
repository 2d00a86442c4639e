import { createMemoryBus, type MemoryBus } from '@cairn/bus-memory';
import { busStreams, subjects, type Receipt, type RunControl } from '@cairn/contracts';
import { createMemoryEventStore, type MemoryEventStore } from '@cairn/event-store-memory';
import type { EventReceived } from '@cairn/domain-schedule';
import { idOf, withoutVersion, type Id, type Json, type JsonObject, type StoredEvent } from '@cairn/kernel';
import type { Clock, EventStore } from '@cairn/ports';
import { createMemoryArtifacts, createRecordingMetrics, Pcg32, Scheduler, seededIds, seededRandomness, WORLD } from '@cairn/simulated';
import { assembleScheduling, type Scheduling } from '@cairn/scheduling';
import { RunPeer } from './run-peer.js';

export const NS = 'default';

export interface SentEvent {
  readonly type: string;
  readonly id?: string;
  readonly source?: string;
  readonly key?: string;
  readonly data?: Json;
  readonly [extension: string]: unknown;
}

/** Scheduling on memory adapters in virtual time, with a peer for execution. */
export class World {
  readonly scheduler = new Scheduler();
  readonly clock = this.scheduler.clockOf(WORLD);
  readonly store: MemoryEventStore;
  readonly bus: MemoryBus;
  readonly artifacts = createMemoryArtifacts();
  readonly disposables = createMemoryArtifacts();
  readonly metrics = createRecordingMetrics();
  readonly peer: RunPeer;
  scheduling: Scheduling;
  private readonly random = new Pcg32(7n);
  private messages = 0;

  constructor(
    readonly mutants: ReadonlySet<string> = new Set(),
    store: MemoryEventStore = createMemoryEventStore(),
  ) {
    this.store = store;
    this.bus = createMemoryBus({ clock: this.clock, streams: busStreams, randomness: seededRandomness(this.random) });
    this.peer = new RunPeer({ store, bus: this.bus, clock: this.clock });
    this.scheduling = this.assemble();
  }

  assemble(store: EventStore = this.store): Scheduling {
    const { random } = this;
    return assembleScheduling({
      store,
      bus: this.bus,
      artifacts: this.artifacts,
      disposables: this.disposables,
      clock: this.clock,
      ids: seededIds(random),
      randomness: seededRandomness(random),
      metrics: this.metrics,
      mutants: this.mutants,
    });
  }

  /** Another peer in the first one's place, with a clock of its own. */
  withPeerClock(clock: Clock): RunPeer {
    return new RunPeer({ store: this.store, bus: this.bus, clock });
  }

  async start(): Promise<this> {
    await this.peer.start();
    await this.scheduling.start();
    return this;
  }

  /** Everything that happens within so many milliseconds from now. */
  async pass(ms: number): Promise<void> {
    await this.scheduler.drain(this.scheduler.now + ms);
  }

  async restartScheduling(): Promise<void> {
    await this.settle(this.scheduling.stop());
    this.scheduling = this.assemble();
    await this.settle(this.scheduling.start());
  }

  /** Lets virtual time pass until the promise is settled, a minute at most. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    promise.then(
      () => (settled = true),
      () => (settled = true),
    );
    for (let passed = 0; !settled && passed < 60_000; passed += 50) await this.pass(50);
    return promise;
  }

  async ask(subject: string, body: JsonObject, deadlineMs = 5_000): Promise<JsonObject> {
    return this.settle(this.bus.ask({ subject, id: `message-${++this.messages}`, body }, deadlineMs));
  }

  async apply(document: { readonly name: string }): Promise<JsonObject> {
    return this.ask(subjects.command(NS, 'scheduling', 'ApplyDefinition'), { name: document.name, document: document as unknown as Json });
  }

  async send({ type, id = 'e1', source = '/spec', key, data = {}, ...more }: SentEvent): Promise<Receipt> {
    const body = { specversion: '1.0', id, source, type, ...(key === undefined ? {} : { cairnkey: key }), data, ...more } as JsonObject;
    return (await this.ask(subjects.inbound(NS, withoutVersion(type)), body)) as unknown as Receipt;
  }

  async run(workflow: string, data: Json, id = 'start-1'): Promise<Receipt> {
    const body = { specversion: '1.0', id, source: '/spec', type: 'cairn.run.start.v1', data };
    return (await this.ask(subjects.runStart(NS, workflow), body)) as unknown as Receipt;
  }

  async signal(runId: Id, name: string, id: string, data: Json = {}): Promise<Receipt> {
    const body = { specversion: '1.0', id, source: '/spec', type: 'signal.v1', data };
    return (await this.ask(subjects.signal(NS, runId, name), body)) as unknown as Receipt;
  }

  /** Asks something of a whole run. `cairnvia` says how it came, as the gateway does. */
  async control(
    runId: Id,
    verb: RunControl | 'wait.reschedule',
    { id = `${verb}-1`, ...more }: { readonly id?: string; readonly [name: string]: Json } = {},
  ) {
    const body: JsonObject = { specversion: '1.0', id, source: '/spec', type: 'run.control', ...more };
    const subject = verb === 'wait.reschedule' ? subjects.waitReschedule(NS, runId) : subjects.runControl(NS, runId, verb);
    return (await this.ask(subject, body)) as unknown as Receipt;
  }

  /** Sending the same event again gives its receipt as it is now. */
  async receipt(sent: SentEvent): Promise<Receipt> {
    return this.send(sent);
  }

  runIdOf(workflow: string, key: string): Id {
    return idOf('run', NS, workflow, key);
  }

  events(type: string): readonly StoredEvent[] {
    return this.store.allEvents().filter((event) => event.type === type);
  }

  received(id: string): EventReceived['data'] | undefined {
    return this.events('EventReceived').find(({ data }) => data['id'] === id)?.data as EventReceived['data'] | undefined;
  }
}
