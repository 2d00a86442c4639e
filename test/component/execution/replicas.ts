import { createMemoryBus, createMemoryLine, type MemoryBound, type MemoryLine } from '@cairn/bus-memory';
import {
  busStreams,
  subjects,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type ReplyData,
  type TaskData,
} from '@cairn/contracts';
import { createMemoryEventStore } from '@cairn/event-store-memory';
import { assembleExecution, type Execution } from '@cairn/execution';
import { idOf, partitionOf, runStream, type Id, type JsonObject, type StoredEvent } from '@cairn/kernel';
import type { Clock, IncomingMessage, Line, OutgoingMessage, Settlement } from '@cairn/ports';
import { createMemoryArtifacts, createRecordingMetrics, Pcg32, Scheduler, seededRandomness } from '@cairn/simulated';
import { attemptOf, putDefinition, replyTo, runOf, startOf, TASK } from './world.js';

const text = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** The line of a process: what it hears it hears in its own time, so one that is stopped hears nothing. */
const inTimeOf = (clock: Clock, line: Line): Line => ({
  aliveAt: line.aliveAt,
  tell: (subject, data) => line.tell(subject, data),
  ask: (subject, data, deadlineMs) => line.ask(subject, data, deadlineMs),
  roundTrip: (deadlineMs) => line.roundTrip(deadlineMs),
  listen: (subject, hear) => line.listen(subject, (message) => void clock.after(0, () => hear(message))),
  ifGone: (aliveAt, then) => line.ifGone(aliveAt, then),
  close: () => line.close(),
});

/** One life of a replica of execution: its clock, its line and what it bound on the bus. */
export interface Replica {
  readonly id: Id;
  readonly name: string;
  readonly execution: Execution;
  readonly line: MemoryLine;
  readonly bounds: readonly MemoryBound[];
}

/**
 * Replicas of execution on one store, one bus and one switchboard, in virtual time. The bus knows no ranks: each replica gets its share of
 * every partition's messages, which is worse than a server does it.
 */
export class Replicas {
  readonly scheduler = new Scheduler();
  readonly metrics = createRecordingMetrics();
  readonly store = createMemoryEventStore();
  readonly artifacts = createMemoryArtifacts();
  readonly disposables = createMemoryArtifacts();
  readonly clock = this.scheduler.clockOf('world');
  readonly bus = createMemoryBus({ clock: this.clock, streams: busStreams });
  readonly board = createMemoryLine({ clock: this.clock });
  readonly line = this.board.line();
  private readonly randomness = seededRandomness(new Pcg32(7n, 1n));
  private started = 0;

  async begin(steps: readonly object[] = TASK): Promise<void> {
    await putDefinition(this.store, steps);
  }

  /** Starts one more; it serves its share a moment later. */
  async add(): Promise<Replica> {
    const name = `execution-${++this.started}`;
    const { store, artifacts, disposables, metrics, randomness, bus } = this;
    const [id, line, clock] = [idOf('random', 'replica', this.started), this.board.line(), this.scheduler.clockOf(name)];
    const ports = { store, bus, artifacts, disposables, clock, randomness, metrics, line: inTimeOf(clock, line), replica: id };
    const execution = assembleExecution({ ...ports, bindBus: false });
    await this.settle(execution.start());
    const handle = (message: IncomingMessage): Promise<Settlement> =>
      new Promise((resolve, reject) => clock.after(0, () => void execution.handle(message).then(resolve, reject)));
    const bounds = await Promise.all(execution.consumers.map(({ spec }) => bus.consume(spec, handle)));
    return { id, name, execution, line, bounds };
  }

  /** SIGSTOP for so long, then SIGCONT: what came meanwhile it hears after that. */
  freeze({ name }: Replica, ms: number): void {
    this.scheduler.pause(name, this.scheduler.now + ms);
  }

  /** `kill -9`. */
  kill({ name, line, bounds }: Replica): void {
    this.scheduler.crash(name);
    line.die();
    for (const bound of bounds) bound.abandon();
  }

  async pass(ms: number): Promise<void> {
    await this.scheduler.drain(this.scheduler.now + ms);
  }

  /** What a promise gives, while time passes for it. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    void promise.finally(() => (settled = true)).catch(() => undefined);
    for (let i = 0; i < 6_000 && !settled; i++) await this.pass(1);
    return promise;
  }

  /** Lets time pass until it holds. Answers how long that took. */
  async until(holds: () => boolean | Promise<boolean>, ms = 10_000): Promise<number> {
    const from = this.scheduler.now;
    while (!(await holds())) {
      if (this.scheduler.now - from > ms) throw new Error(`does not hold within ${ms} ms`);
      await this.pass(5);
    }
    return this.scheduler.now - from;
  }

  async start(key: string, input: object = {}): Promise<void> {
    await this.command('StartRun', key, await startOf(this.store, key, input));
  }

  /** The same, without waiting for its answer. */
  async startSoon(key: string): Promise<void> {
    await this.bus.publish(commandOf('StartRun', key, await startOf(this.store, key)));
  }

  async command(type: string, key: string, data: object): Promise<JsonObject> {
    return this.settle(this.bus.ask(commandOf(type, key, data), 5_000));
  }

  /** A question to whoever listens there. */
  async ask(subject: string, asked: unknown): Promise<unknown> {
    return text(await this.settle(this.line.ask(subject, bytesOf(asked), 5_000)));
  }

  tell(subject: string, told: unknown): void {
    this.line.tell(subject, bytesOf(told));
  }

  /** A message of a handler that takes its tasks so. Answers what the bus was told of it. */
  send(subject: string, body: object, to: Replica): Promise<Settlement> {
    return this.settle(to.execution.handle({ subject, id: 'spec', body: body as JsonObject, deliveries: 1, asked: true }));
  }

  history(key: string): Promise<readonly StoredEvent[]> {
    return this.store.read(runStream(runOf(key), 'main'));
  }

  async types(key: string): Promise<string[]> {
    return (await this.history(key)).map(({ type }) => type);
  }
}

/** A command as scheduling or the gateway sends it. */
export function commandOf(type: string, key: string, data: object): OutgoingMessage {
  const [runId, causationId] = [runOf(key), idOf('receipt', 'default', 'spec', `${key}/${type}`)];
  const body = { id: causationId, ns: 'default', runId, type, actor: 'user:local', causationId, data: data as never };
  return { subject: subjects.executionCommand('default', partitionOf(runId), type), id: causationId, body };
}

/** A worker session over the line, as `capabilities.md` §4 has it: a lane of frames for each replica that it was told of. */
export class SpecSession {
  readonly line: MemoryLine;
  readonly held = new Map<Id, { task: CloudEvent<TaskData>; replica: Id }>();
  /** Every task that came, in order. */
  readonly given: CloudEvent<TaskData>[] = [];
  readonly answers: ExchangeResponse[] = [];
  private readonly owed = new Map<string, { reply: CloudEvent<ReplyData>; replica: Id }>();
  private readonly seq = new Map<Id, number>();
  private dead = false;

  /** `work`: milliseconds until a task is done; without it nothing ever is. */
  constructor(
    private readonly world: Replicas,
    readonly id: Id,
    private readonly options: { readonly work?: number; readonly free?: number } = {},
  ) {
    this.line = world.board.line();
  }

  /** Speaks to the replica until that is gone. */
  speakTo({ id, line }: Replica): void {
    void this.lane(id).catch(() => line.die());
  }

  die(): void {
    this.dead = true;
    this.line.die();
  }

  private async lane(replica: Id): Promise<void> {
    while (!this.dead) {
      const seq = (this.seq.get(replica) ?? 0) + 1;
      this.seq.set(replica, seq);
      const { free = 4 } = this.options;
      const owed = [...this.owed.values()].filter((one) => one.replica === replica).map(({ reply }) => reply);
      const frame: ExchangeRequest = {
        session: this.id,
        seq,
        handler: 'spec/1',
        queues: { q: Math.max(0, free - this.held.size) },
        held: [...this.held.keys()],
        replies: owed,
        alive: this.line.aliveAt,
      };
      let response: ExchangeResponse;
      try {
        response = text(await this.line.ask(subjects.exchange('default', replica), bytesOf(frame), 1_000)) as ExchangeResponse;
      } catch {
        if (this.dead) return;
        for (const [key, one] of this.owed) if (one.replica === replica) this.owed.set(key, { ...one, replica: this.elsewhere(replica) });
        await new Promise<void>((resolve) => this.world.clock.after(50, resolve));
        continue;
      }
      this.take(response, replica);
    }
  }

  private elsewhere(gone: Id): Id {
    return [...this.seq.keys()].find((replica) => replica !== gone) ?? gone;
  }

  private take(response: ExchangeResponse, replica: Id): void {
    this.answers.push(response);
    for (const id of [...response.accepted, ...response.late, ...response.forwarded]) {
      const reply = this.owed.get(id)?.reply;
      this.owed.delete(id);
      this.held.delete(reply?.data?.lease.attemptId ?? '');
    }
    for (const task of response.tasks) {
      this.given.push(task);
      if (this.held.has(attemptOf(task))) continue;
      this.held.set(attemptOf(task), { task, replica });
      if (this.options.work === undefined) continue;
      this.world.clock.after(this.options.work, () => {
        const reply = { ...replyTo(task), cairnrun: task.cairnrun ?? '' };
        this.owed.set(reply.id, { reply, replica });
      });
    }
  }
}
