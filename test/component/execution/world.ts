import { createMemoryBus } from '@cairn/bus-memory';
import {
  busStreams,
  subjects,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type ReplyData,
  type TaskData,
} from '@cairn/contracts';
import { compileDefinition } from '@cairn/domain-definition';
import { createMemoryEventStore, type AppendFault, type MemoryEventStore } from '@cairn/event-store-memory';
import { assembleExecution, type Execution } from '@cairn/execution';
import {
  idOf,
  instantOf,
  partitionOf,
  policyStream,
  runStream,
  sealAppend,
  workflowStream,
  type Id,
  type StoredEvent,
} from '@cairn/kernel';
import type { Settlement } from '@cairn/ports';
import { createMemoryArtifacts, createRecordingMetrics, Pcg32, Scheduler, seededRandomness } from '@cairn/simulated';

export const SESSION = idOf('random', 'session');
export const OTHER = idOf('random', 'other');

/** One task of a queue `q` that may last a minute. */
export const TASK = [{ id: 'work', task: { queue: 'q' }, lease: '10s', timeout: '1m' }];
/** The same as an effect that must be claimed. */
export const EFFECT = [{ id: 'work', effect: { queue: 'q', key: 'k', guarantee: 'none' }, purpose: 'pay', lease: '10s', timeout: '1m' }];

/** A real execution service on virtual time, memory store and memory bus; the spec is its handler and sends frames. */
export class World {
  readonly scheduler = new Scheduler();
  readonly store: MemoryEventStore;
  readonly metrics = createRecordingMetrics();
  /** Survives restarts, as a folder does. */
  readonly disposables = createMemoryArtifacts();
  readonly randomness = seededRandomness(new Pcg32(7n, 1n));
  /** What befalls the append of the next event of a type, once for each entry. */
  readonly faults = new Map<string, (AppendFault | 'and_unreadable')[]>();
  execution: Execution;
  private seq = 0;
  private unreadable = 0;

  constructor(private readonly steps: readonly object[] = TASK) {
    this.store = createMemoryEventStore({
      faults: { append: (_, events) => this.faultOf(events), read: () => this.unreadable-- > 0 },
    });
    this.execution = this.assemble();
  }

  /** Another replica, or the next life of the first. */
  assemble(actor = 'execution'): Execution {
    const clock = this.scheduler.clockOf(actor);
    const bus = createMemoryBus({ clock, streams: busStreams });
    const { store, randomness, metrics, disposables } = this;
    return assembleExecution({ store, bus, artifacts: createMemoryArtifacts(), disposables, clock, randomness, metrics });
  }

  /** `kill -9` of the service, and its start. */
  async restart(): Promise<void> {
    this.scheduler.crash('execution');
    this.execution = this.assemble();
    await this.settle(this.execution.start());
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.scheduler.drain(this.scheduler.now + ms);
  }

  /** What a promise gives, while time passes for it. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    void promise.finally(() => (settled = true)).catch(() => undefined);
    for (let i = 0; i < 2_000 && !settled; i++) await this.pass(1);
    return promise;
  }

  async begin(): Promise<void> {
    await putDefinition(this.store, this.steps);
    await this.settle(this.execution.start());
    await this.start('a');
  }

  async start(key: string): Promise<void> {
    const data = await startOf(this.store, key);
    const settlement = await this.command('StartRun', data, key);
    if (settlement.kind !== 'done' || settlement.answer?.['kind'] !== 'accepted') throw new Error(JSON.stringify(settlement));
  }

  /** A command as the bus brings it. */
  command(type: string, data: object, key = 'a'): Promise<Settlement> {
    const causationId = idOf('receipt', 'default', 'spec', `${key}/${type}`);
    const body = { id: causationId, ns: 'default', runId: runOf(key), type, actor: 'user:local', causationId, data: data as never };
    const subject = subjects.executionCommand('default', partitionOf(runOf(key)), type);
    return this.settle(this.execution.handle({ subject, id: causationId, body, deliveries: 1, asked: true }));
  }

  frame(more: Partial<ExchangeRequest> = {}, gone?: AbortSignal, execution = this.execution): Promise<ExchangeResponse> {
    this.seq += 1;
    return execution.desk.exchange(
      'default',
      { session: SESSION, seq: this.seq, handler: 'spec/1', queues: { q: 1 }, held: [], replies: [], ...more },
      gone,
    );
  }

  /** Frames of a session until it is given something, for `ms` at most. */
  async taskFor(session: Id, ms = 5_000): Promise<CloudEvent<TaskData> | undefined> {
    const until = this.scheduler.now + ms;
    while (this.scheduler.now < until) {
      const { tasks } = await this.settle(this.frame({ session }));
      if (tasks[0] !== undefined) return tasks[0];
    }
    return undefined;
  }

  history(key = 'a'): Promise<readonly StoredEvent[]> {
    return this.store.read(runStream(runOf(key), 'main'));
  }

  async types(key = 'a'): Promise<string[]> {
    return (await this.history(key)).map(({ type }) => type);
  }

  private faultOf(events: readonly StoredEvent[]): AppendFault | undefined {
    for (const { type } of events) {
      const fault = this.faults.get(type)?.shift();
      if (fault === undefined) continue;
      if (fault !== 'and_unreadable') return fault;
      this.unreadable = 1;
      return { kind: 'stored_then_unknown' };
    }
    return undefined;
  }
}

export const runOf = (key: string): Id => idOf('run', 'default', 'line', key);
export const attemptOf = (task: CloudEvent<TaskData> | undefined): string => task?.data?.lease.attemptId ?? '';
export const replyTo = (task: CloudEvent<TaskData> | undefined, id = `${attemptOf(task)}:end`): CloudEvent<ReplyData> => ({
  specversion: '1.0',
  id,
  source: '/spec',
  type: 'cairn.reply.succeeded.v1',
  data: { lease: task?.data?.lease ?? { attemptId: '', branch: 'main', epoch: 1 }, output: {} },
});

/** The definition of `steps`, named `line`, and policy `default`, as scheduling and retry-policy write them. */
export async function putDefinition(store: MemoryEventStore, steps: readonly object[]): Promise<void> {
  const compiled = compileDefinition({ cairn: 1, name: 'line', version: '1.0.0', steps });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  const { definition, hash } = compiled;
  const put = async (stream: string, type: string, data: object): Promise<void> => {
    const at = instantOf(Date.UTC(2025, 11, 31));
    const context = { stream, expected: 'no_stream', prevHash: '', ns: 'default', at, actor: 'service:spec', causationId: 'spec' } as const;
    await store.append(stream, 'no_stream', sealAppend(context, [{ type, version: 1, data }]));
  };
  await put(workflowStream('default', 'line'), 'DefinitionApplied', { ns: 'default', name: 'line', version: '1.0.0', hash, definition });
  await put(policyStream('default', 'default'), 'PolicyApplied', {
    ns: 'default',
    name: 'default',
    version: 1,
    hash: 'sha256:0',
    policy: {},
  });
}

/** What `StartRun` says of the run with that key. */
export async function startOf(store: MemoryEventStore, key: string, input: object = {}): Promise<object> {
  const [applied] = await store.read(workflowStream('default', 'line'));
  const cause = { receiptId: idOf('receipt', 'default', 'spec', key), source: 'spec', id: key, type: 'spec' };
  const definition = { name: 'line', version: '1.0.0', hash: applied?.data['hash'] as string, revision: 0 };
  return { ns: 'default', workflow: 'line', runId: runOf(key), key, input, definition, policies: [], cause };
}
