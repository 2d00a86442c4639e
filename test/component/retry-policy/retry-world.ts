import { createMemoryBus } from '@cairn/bus-memory';
import {
  busStreams,
  executionRun,
  subjects,
  type ApplyPolicyAnswer,
  type ApplyPolicyMessage,
  type CommandAnswer,
  type CommandMessage,
} from '@cairn/contracts';
import { compileDefinition } from '@cairn/domain-definition';
import type { Failure, PinnedDocument, Usage } from '@cairn/domain-run';
import { createMemoryEventStore } from '@cairn/event-store-memory';
import {
  idOf,
  parseRunStream,
  policyStream,
  runStream,
  sealAppend,
  workflowStream,
  type DomainEvent,
  type JsonObject,
  type StoredEvent,
} from '@cairn/kernel';
import { ASK_DEADLINE_MS } from '@cairn/ports';
import { assembleRetryPolicy, type RetryPolicy } from '@cairn/retry-policy';
import { createMemoryArtifacts, createRecordingMetrics, Pcg32, Scheduler, seededIds, seededRandomness, WORLD } from '@cairn/simulated';

export const NS = 'default';
export const RUN = idOf('run', NS, 'w', 'k');
export const AT = '2026-01-01T00:00:00.000Z';

const definition = compileDefinition({
  cairn: 1,
  name: 'w',
  version: '1.0.0',
  steps: [
    { id: 'work', task: { queue: 'q' } },
    { id: 'other', task: { queue: 'q' } },
    { id: 'ask', task: { queue: 'q' }, retry: 'http' },
    { id: 'pay', purpose: 'pay', effect: { queue: 'q', key: 'pay-1', guarantee: 'none' } },
    { id: 'book', purpose: 'book', effect: { queue: 'q', key: 'book-1', guarantee: 'idempotent' } },
    { id: 'read', task: { queue: 'q' }, params: { scale: 1 }, retry: 'http', fallback: [{ queue: 'q-b' }] },
  ],
  reduced: [{ id: 'less', drops: ['read'], steps: [], summary: 'unread' }],
});
if (!definition.ok) throw new Error(JSON.stringify(definition.errors));

/** Policy `http` with so many attempts for time-outs. */
export const httpPolicy = (attempts: number, limits: JsonObject = {}): JsonObject => ({
  cairn: 1,
  policy: 'http',
  buckets: {
    timeout: { retry: true, attempts, expects: 'time_passes', backoff: { kind: 'fixed', first: '1s', jitter: 0 } },
    context_length: {
      retry: 'modified',
      attempts: 2,
      expects: 'changed_input',
      modify: [{ op: 'replace', path: '/params/scale', value: 0.5 }],
    },
    unclassified: { retry: false, escalate: 'triage' },
  },
  limits,
  onExhausted: ['fallback', 'reduce', 'give_up'],
});

/** retry-policy on memory adapters, one run's history, and a peer that records what it is asked, as execution does. */
export class RetryWorld {
  readonly scheduler = new Scheduler();
  readonly clock = this.scheduler.clockOf(WORLD);
  readonly store = createMemoryEventStore();
  readonly bus = createMemoryBus({ clock: this.clock, streams: busStreams });
  readonly metrics = createRecordingMetrics();
  readonly artifacts = createMemoryArtifacts();
  readonly disposables = createMemoryArtifacts();
  readonly commands: CommandMessage[] = [];
  private readonly random = new Pcg32(11n);
  private readonly attempts = new Map<string, number>();
  private asked = 0;
  private head = 'main';

  assemble(): RetryPolicy {
    const { store, bus, artifacts, disposables, clock, metrics, random } = this;
    const [ids, randomness] = [seededIds(random), seededRandomness(random)];
    return assembleRetryPolicy({ store, bus, artifacts, disposables, clock, metrics, ids, randomness });
  }

  /** `refuses`: it records nothing, or nothing that changes something, and says so. */
  async bindPeer({ refuses = false }: { readonly refuses?: boolean | 'changes' } = {}): Promise<void> {
    await this.bus.consume(executionRun, async ({ body }) => {
      const command = body as unknown as CommandMessage;
      this.commands.push(command);
      const rejection = { code: 'decision_unsupported', detail: 'not today' };
      if (refuses === 'changes' ? command.data['change'] !== undefined : refuses)
        return { kind: 'done', answer: { kind: 'rejected', runId: RUN, rejection } };
      const decided = (await this.store.read(runStream(RUN, this.head))).some(
        ({ type, data }) => type === 'RetryDecided' && data['attemptId'] === command.data['attemptId'],
      );
      if (!decided) await this.append({ type: 'RetryDecided', version: 1, data: command.data });
      const answer: CommandAnswer = decided
        ? { kind: 'nothing', runId: RUN, because: 'duplicate' }
        : { kind: 'accepted', runId: RUN, branch: 'main', revision: 0 };
      return { kind: 'done', answer: answer as unknown as JsonObject };
    });
  }

  async ask(name: string, document: JsonObject, actor = 'user:ana'): Promise<ApplyPolicyAnswer> {
    const body: ApplyPolicyMessage = { actor, name, document };
    const id = `ask-${++this.asked}`;
    const message = { subject: subjects.command(NS, 'retry-policy', 'apply-policy'), id, body: body as unknown as JsonObject };
    const asking = this.bus.ask(message, ASK_DEADLINE_MS);
    await this.pass(10);
    return (await asking) as unknown as ApplyPolicyAnswer;
  }

  /** The run begins, bound to the newest versions of its policies. */
  async startRun(): Promise<void> {
    if (!definition.ok) return;
    const applied = {
      ns: NS,
      name: 'w',
      version: '1.0.0',
      hash: definition.hash,
      definition: definition.definition as unknown as JsonObject,
    };
    await this.append({ type: 'DefinitionApplied', version: 1, data: applied }, workflowStream(NS, 'w'));
    const policies = (await Promise.all(['default', 'http'].map((name) => this.newest(name)))).filter((pin) => pin !== undefined);
    const data = {
      ns: NS,
      workflow: 'w',
      goal: null,
      input: {},
      attributes: {},
      definition: { name: 'w', version: '1.0.0', hash: definition.hash, revision: 0 },
      policies: policies as unknown as JsonObject[],
      cause: { receiptId: idOf('receipt', NS, 's', 'i'), source: 's', id: 'i', type: 't' },
      limits: { ageMs: 1, occurrences: 1, branches: 1 },
    };
    await this.append({ type: 'RunStarted', version: 1, data });
  }

  async append(event: DomainEvent, stream = runStream(RUN, this.head)): Promise<StoredEvent> {
    const last = (await this.store.read(stream)).at(-1);
    const context = {
      stream,
      expected: last?.revision ?? 'no_stream',
      prevHash: last?.metadata.hash ?? '',
      ns: NS,
      ...(parseRunStream(stream) ?? {}),
      at: AT,
      actor: 'service:spec',
      causationId: 'c',
    } as const;
    const [sealed] = sealAppend(context, [event]);
    if (sealed === undefined) throw new Error('nothing sealed');
    await this.store.append(stream, context.expected, [sealed]);
    return sealed;
  }

  /** What execution does after a decision that changes something: another branch is the head, and steps fail there from now on. */
  async openBranch(name: string, actor = 'policy:http@1', changes: readonly JsonObject[] = []): Promise<void> {
    await this.append({ type: 'BranchSuperseded', version: 1, data: { successor: name, spec: {} } });
    this.head = name;
    await this.append({
      type: 'BranchOpened',
      version: 1,
      data: { parent: { branch: 'main', revision: 0 }, actor, changes, shadow: false },
    });
  }

  /** The next attempt of a step begins and fails. */
  async fail(failure: Partial<Failure> & Pick<Failure, 'by'>, step = 'work', usage?: Usage, params: JsonObject = {}): Promise<StoredEvent> {
    const attempt = (this.attempts.get(step) ?? 0) + 1;
    this.attempts.set(step, attempt);
    const attemptId = idOf('attempt', 'entropy', step, attempt);
    await this.append({ type: 'StepStarted', version: 1, data: { step, attempt, attemptId, queue: 'q', input: {}, params } });
    const data = { step, attemptId, failure: { message: 'gone', sideEffect: 'none', ...failure } as unknown as JsonObject };
    return this.append({ type: 'StepFailed', version: 1, data: { ...data, ...(usage === undefined ? {} : { usage: { ...usage } }) } });
  }

  /** Decision and queue, and the rule, of each command so far. */
  get decided(): readonly (readonly [unknown, unknown])[] {
    return this.commands.map(({ data }) => [data['decision'], (data['justification'] as JsonObject)['rule']]);
  }

  pass(ms: number): Promise<number> {
    return this.scheduler.drain(this.scheduler.now + ms);
  }

  private async newest(name: string): Promise<PinnedDocument | undefined> {
    const applied = (await this.store.read(policyStream(NS, name))).at(-1);
    return applied === undefined
      ? undefined
      : { name, version: applied.data['version'] as number, hash: applied.data['hash'] as string, revision: applied.revision };
  }
}

/** retry-policy runs, policy `http` allows two attempts, the run has begun. */
export async function startedWorld(limits: JsonObject = {}): Promise<RetryWorld> {
  const world = new RetryWorld();
  await world.bindPeer();
  await world.assemble().start();
  await world.ask('http', httpPolicy(2, limits));
  await world.startRun();
  return world;
}
