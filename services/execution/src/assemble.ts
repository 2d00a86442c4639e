import { Generations, Relay, SweepLoop, WorkingSet } from '@cairn/application';
import type { CloudEvent, CommandAnswer, CommandMessage, ReplyData, WorkDesk } from '@cairn/contracts';
import { executionRun } from '@cairn/contracts';
import { UnreadableEvent, type RunCommand, type RunState } from '@cairn/domain-run';
import { parseRunStream, runStream, type Id, type JsonObject, type StoredEvent } from '@cairn/kernel';
import type { Plan } from '@cairn/domain-definition';
import type { Artifacts, Bound, Bus, Clock, ConsumerSpec, EventStore, IncomingMessage, Line, Metrics, Randomness, Settlement } from '@cairn/ports';
import { Documents } from './driving/documents.js';
import { Driver, outOfLine, type Outcome } from './driving/driver.js';
import { type LoadedRun, RunLoader } from './driving/run-loader.js';
import { claimAnswer, claimOrder, type ClaimAnswer } from './leases/claim.js';
import { Desk, type OfferContext, type ReplyOutcome } from './leases/desk.js';
import { actorOf, replyCommand } from './leases/reply.js';
import { taskOf, type Task } from './leases/task.js';
import { OpenAttempts } from './open-attempts.js';
import { handOverTypes, runMessages } from './publishing/run-facts.js';

export interface ExecutionOptions {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
  /** To other processes. Without it this one serves every run: the embedded default. */
  readonly line?: Line;
  /** This replica's id; needed with `line`. */
  readonly replica?: Id;
  /** `false` where a door of Nest binds the consumer and calls `handle`; the service then only publishes. */
  readonly bindBus?: boolean;
  /** Folded runs kept in memory. */
  readonly runsCachedMax?: number;
  /** For the simulation's planted bugs alone; empty in production. */
  readonly mutants?: ReadonlySet<string>;
}

/** The only decider of runs, assembled from ports. */
export interface Execution {
  readonly desk: WorkDesk;
  /** Resolves when what was open is known again and commands are taken. Throws faults. */
  start(): Promise<void>;
  /** Takes nothing new; resolves when what is under way is durable and answered. */
  stop(): Promise<void>;
  /** What is to be bound to `handle`, with how this process ranks. */
  readonly consumers: readonly { readonly spec: ConsumerSpec; readonly rank?: () => number }[];
  /** One message of one of `consumers`. */
  handle(message: IncomingMessage): Promise<Settlement>;
}

const RUNS_CACHED_MAX = 5_000;
/** A run whose history is newer than this release is left alone and looked at again (I-4). */
const PARKED_RETRY_MS = 60_000;
/** An attempt that the history has open this long and no handler was told of has been forgotten. */
const SETTLE_MS = 2_000;

export function assembleExecution(options: ExecutionOptions): Execution {
  const { store, bus, artifacts, clock, randomness, metrics } = options;
  const mutants = options.mutants ?? new Set<string>();
  const documents = new Documents(store, artifacts);
  const loader = new RunLoader(store, artifacts, documents, metrics);
  const cache = new Generations<Id, LoadedRun>(options.runsCachedMax ?? RUNS_CACHED_MAX);
  const driver = new Driver({ store, artifacts, clock, randomness, documents, loader, cache, mutants, onAppended });
  const desk = new Desk({ clock, metrics, record, lapse, claim, fresh: () => randomness.entropy() });

  const open = new OpenAttempts();
  const openSince = new Map<Id, number>();
  const workingSet = new WorkingSet({ store, artifacts, clock, metrics }, open, { onFolded, onCaughtUp: () => undefined });
  const relay = new Relay({
    name: 'execution',
    types: handOverTypes,
    messagesOf: (event) => runMessages(event, async (runId) => (await driver.look(runId)).state.started?.workflow ?? ''),
    store,
    bus,
    clock,
    metrics,
    mutants,
  });
  const sweep = new SweepLoop({ clock, metrics, name: 'execution', sweep: () => offerForgotten({}) });
  let bound: Bound | undefined;

  /** After the append: what has started is offered, what is over is closed, what is paused is kept. */
  function onAppended(before: RunState, after: RunState, events: readonly StoredEvent[], plan: Plan): void {
    const { paused, attempts } = after.path;
    for (const { type, data } of events) {
      if (type === 'StepStarted') offer(after, plan, data['attemptId'] as Id);
      else if (type === 'StepSucceeded' || type === 'StepFailed') desk.close(data['attemptId'] as Id);
    }
    if (after.end !== null) for (const attemptId of before.path.attempts.keys()) desk.close(attemptId);
    else if (paused && !before.path.paused) for (const attemptId of attempts.keys()) desk.pause(attemptId);
    else if (before.path.paused && !paused) for (const attemptId of attempts.keys()) unpause(after, plan, attemptId);
  }

  function offer(state: RunState, plan: Plan | undefined, attemptId: Id, context: OfferContext = {}): void {
    const task = plan === undefined ? undefined : taskOf(state, plan, attemptId);
    if (task !== undefined) desk.offer(task, { ...context, paused: state.path.paused });
  }

  function unpause(state: RunState, plan: Plan, attemptId: Id): void {
    desk.unpause(attemptId);
    offer(state, plan, attemptId);
  }

  /** What another replica has appended: our desk believes it, too. */
  function onFolded(events: readonly StoredEvent[]): void {
    for (const event of events) {
      const runId = parseRunStream(event.stream)?.runId ?? '';
      if (event.type === 'StepSucceeded' || event.type === 'StepFailed') desk.close(event.data['attemptId'] as Id);
      else if (event.type === 'RunPaused') for (const attemptId of open.of(runId)) desk.pause(attemptId);
      else if (event.type === 'RunUnpaused') for (const attemptId of open.of(runId)) desk.unpause(attemptId);
    }
  }

  /** Attempts that the history has open and the desk does not know. */
  async function offerForgotten(context: OfferContext): Promise<void> {
    const now = clock.monotonicMs();
    const forgotten = new Map<Id, Id[]>();
    for (const [attemptId, { runId }] of open.entries()) {
      if (desk.has(attemptId)) {
        openSince.delete(attemptId);
        continue;
      }
      const since = openSince.get(attemptId) ?? now;
      openSince.set(attemptId, since);
      if (context.recovering !== true && (now - since < SETTLE_MS || mutants.has('M-9'))) continue; // M-9: planted bug, the sweep skips open attempts.
      forgotten.set(runId, [...(forgotten.get(runId) ?? []), attemptId]);
    }
    for (const attemptId of openSince.keys()) if (desk.has(attemptId) || !open.has(attemptId)) openSince.delete(attemptId);
    for (const [runId, attemptIds] of forgotten) {
      cache.delete(runId); // What the cache believes led to this.
      const run = await driver.look(runId);
      for (const attemptId of attemptIds) offer(run.state, run.plan, attemptId, context);
    }
  }

  async function record(runId: Id, reply: CloudEvent<ReplyData>): Promise<ReplyOutcome> {
    const output = reply.data?.output;
    const outputRef = output === undefined || isSmall(output) ? undefined : await outOfLine(artifacts, output);
    let command: RunCommand = replyCommand(reply, outputRef);
    if (mutants.has('M-3')) command = await ofAnyAttempt(runId, command);
    const outcome = await driver.submit({ runId, command, actor: actorOf(reply.source), causationId: reply.id });
    return isCounted(outcome) ? 'accepted' : 'late';
  }

  /** Planted bug: a reply of an attempt that is over counts for the one that is open. */
  async function ofAnyAttempt(runId: Id, command: RunCommand): Promise<RunCommand> {
    if (command.type !== 'RecordReply') return command;
    const { state } = await driver.look(runId);
    const closed = state.path.closed.get(command.data.attemptId);
    const opened =
      closed === undefined ? undefined : [...state.path.attempts.entries()].find(([, attempt]) => attempt.step === closed.step);
    return opened === undefined ? command : { ...command, data: { ...command.data, attemptId: opened[0] } };
  }

  async function lapse(task: Task, by: 'lease' | 'timeout', message: string): Promise<void> {
    const command: RunCommand = { type: 'RecordLapse', data: { attemptId: task.attemptId, by, message } };
    const stream = runStream(task.runId, task.event.data?.lease.branch ?? 'main');
    const [started] = await store.read(stream, task.startedRevision, task.startedRevision);
    if (started === undefined) return; // The store has forgotten the attempt: there is nothing to record it in.
    await driver.submit({ runId: task.runId, command, actor: 'service:execution', causationId: started.eventId });
  }

  async function claim(task: Task, source: string, nonce: string): Promise<ClaimAnswer> {
    return claimAnswer(await driver.submit(claimOrder(task, source, nonce)), task.attemptId);
  }

  async function handle(message: IncomingMessage): Promise<Settlement> {
    if (message.subject.split('.')[2] === 'reply') return handleReply(message);
    const body = message.body as unknown as CommandMessage;
    try {
      const outcome = await driver.submit({
        runId: body.runId,
        command: { type: body.type, data: body.data } as unknown as RunCommand,
        actor: body.actor,
        causationId: body.causationId,
      });
      return { kind: 'done', answer: answerOf(body.runId, outcome) as unknown as JsonObject };
    } catch (error) {
      if (error instanceof UnreadableEvent) return { kind: 'again', afterMs: PARKED_RETRY_MS };
      throw error; // A fault pauses the consumer, a bug counts.
    }
  }

  async function handleReply(message: IncomingMessage): Promise<Settlement> {
    const reply = message.body as unknown as CloudEvent<ReplyData>;
    const attemptId = reply.data?.lease.attemptId ?? '';
    await desk.reply(reply.cairnns ?? '', attemptId, reply);
    return { kind: 'done' };
  }

  return {
    desk,
    consumers: [{ spec: executionRun }],
    handle,
    async start() {
      await workingSet.start();
      await workingSet.caughtUp;
      await offerForgotten({ recovering: true });
      await relay.start();
      if (options.bindBus !== false) bound = await bus.consume(executionRun, handle);
      sweep.start();
    },
    async stop() {
      await bound?.stop();
      await sweep.stop();
      desk.stop();
      await driver.drained();
      await relay.stop();
      await workingSet.stop();
    },
  };
}

/** Whether an output is so small that nobody needs to measure it. */
function isSmall(output: unknown): boolean {
  if (typeof output === 'string') return output.length < 1_000;
  if (typeof output !== 'object' || output === null) return true;
  const values = Object.values(output);
  return (
    values.length < 16 &&
    values.every((value) => (typeof value === 'string' ? value.length < 64 : typeof value !== 'object' || value === null))
  );
}

/** An accepted reply that comes again is answered as it was the first time. */
function isCounted(outcome: Outcome): boolean {
  if (outcome.kind === 'nothing') return outcome.because === 'duplicate';
  return outcome.kind === 'accepted' && outcome.events[0]?.type !== 'LateResultRecorded';
}

function answerOf(runId: Id, outcome: Outcome): CommandAnswer {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'accepted', runId, branch: outcome.state.branch, revision: outcome.state.revision };
    case 'nothing': {
      const cause = outcome.state.started?.cause.receiptId;
      return {
        kind: 'nothing',
        runId,
        because: outcome.because,
        state: outcome.state.status.state,
        ...(cause === undefined ? {} : { startedBy: cause }),
      };
    }
    case 'rejected':
      return { kind: 'rejected', runId, rejection: outcome.rejection };
  }
}
