import { type Folds, Generations, Relay, SweepLoop, WorkingSet } from '@cairn/application';
import {
  executionPartition,
  executionRun,
  metricNames,
  subjects,
  type CommandAnswer,
  type CommandMessage,
  type WorkDesk,
} from '@cairn/contracts';
import { announcementOf, UnreadableEvent, type RunCommand } from '@cairn/domain-run';
import { invariant, isId, PARTITIONS, partitionOf, type FieldError, type Id, type JsonObject } from '@cairn/kernel';
import {
  ASK_DEADLINE_MS,
  type Artifacts,
  type Bound,
  type Bus,
  type CallbackTokens,
  type Clock,
  type ConsumerSpec,
  type EventStore,
  type IncomingMessage,
  type Line,
  type Metrics,
  type NamedArtifacts,
  type Randomness,
  type Settlement,
} from '@cairn/ports';
import { checkCommand } from './doors/command-check.js';
import { LineDoor } from './doors/line-door.js';
import { ReplyDoor } from './doors/reply-door.js';
import { Documents } from './driving/documents.js';
import { Driver, type Outcome } from './driving/driver.js';
import { type LoadedRun, RunLoader } from './driving/run-loader.js';
import { RunsRebuild } from './driving/runs-rebuild.js';
import { Desk } from './leases/desk.js';
import { Dispatch } from './leases/dispatch.js';
import { Recording } from './leases/recording.js';
import { OpenAttempts } from './open-attempts.js';
import { Partitions } from './partitions/partitions.js';
import { servesAll, type Serving } from './partitions/serving.js';
import { toBytes } from './partitions/words.js';
import { handOverTypes, runMessages } from './publishing/run-facts.js';
import { RelayDuty } from './publishing/relay-duty.js';
import { replyMessage, taskMessage } from './publishing/work.js';

export interface ExecutionOptions {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  /** Snapshots and checkpoints. */
  readonly disposables: NamedArtifacts;
  /** Without it a task is given references to callbacks, which open nothing. */
  readonly callbackTokens?: CallbackTokens;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
  /** To other processes. With it this is one replica of several, which share the partitions; without it this process does all. */
  readonly line?: Line;
  /** Needed with a line: a fresh id for each start. */
  readonly replica?: Id;
  /** `false` where a door of Nest binds the consumer and calls `handle`; the service then only publishes. */
  readonly bindBus?: boolean;
  /** What is folded here is put into it, for whoever makes it anew. */
  readonly folds?: Folds;
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
  /** Hands its partitions to the other replicas at once, while what is under way goes on: the first part of `stop`, and harmless twice. */
  leave(): void;
  /** Takes nothing new; resolves when what is under way is durable and answered. */
  stop(): Promise<void>;
  /** What is to be bound to `handle`, one for each partition where there are replicas, with how this process ranks. */
  readonly consumers: readonly Consumer[];
  /** One message of one of `consumers`. */
  handle(message: IncomingMessage): Promise<Settlement>;
  /** How this replica ranks for a partition now, from 0. */
  rank(partition: number): number;
}

export interface Consumer {
  readonly spec: ConsumerSpec;
  readonly rank?: () => number;
}

const RUNS_CACHED_MAX = 5_000;
/** Whoever serves it relays for all. */
const RELAYING_PARTITION = 0;
/** A run whose history is newer than this release is left alone and looked at again (I-4). */
const PARKED_RETRY_MS = 60_000;

export function assembleExecution(options: ExecutionOptions): Execution {
  const { store, bus, artifacts, disposables, clock, randomness, metrics, line, replica } = options;
  const mutants = options.mutants ?? new Set<string>();
  const documents = new Documents(store, artifacts);
  const loader = new RunLoader(store, disposables, documents, metrics, mutants);
  const cache = new Generations<Id, LoadedRun>(options.runsCachedMax ?? RUNS_CACHED_MAX);
  const driver = new Driver({
    store,
    artifacts,
    clock,
    randomness,
    documents,
    loader,
    cache,
    mutants,
    onAppended: (before, after, events, plan) => dispatch.onAppended(before, after, events, plan),
  });
  const links = options.callbackTokens === undefined ? {} : { callbackTokens: options.callbackTokens };
  const recording = new Recording({ store, artifacts, driver, mutants, ...links });
  const open = new OpenAttempts();
  const workingSet = new WorkingSet({ store, disposables, clock, metrics }, open, {
    onFolded: (events) => dispatch.onFolded(events),
    onCaughtUp: () => undefined,
    onReplaced: () => void dispatch.offerForgotten({}).catch(() => metrics.count('cairn_dispatch_faults_total')),
  });
  options.folds?.add('execution', [
    workingSet,
    new RunsRebuild({ clock, cache, loader, open: () => [...open.entries()].map(([, { runId }]) => runId) }),
  ]);
  const partitions = line === undefined ? undefined : partitionsOf(line);
  const serving: Serving = partitions ?? servesAll;
  const desk = new Desk({
    clock,
    metrics,
    serving,
    record: (ns, runId, reply, shared) => recording.reply(ns, runId, reply, shared),
    lapse: (task, by, message) => recording.lapse(task, by, message),
    claim: (task, source, nonce) => recording.claim(task, source, nonce),
    fresh: () => randomness.entropy(),
    forward: (ns, runId, reply) => bus.publish(replyMessage(ns, runId, reply)),
    askServer: async (ns, runId, reply) =>
      (await bus.ask(replyMessage(ns, runId, reply), ASK_DEADLINE_MS))['outcome'] === 'accepted' ? 'accepted' : 'late',
    ...(line === undefined ? {} : { ring: (task, ring) => bus.publish(taskMessage(task, ring)) }),
  });
  const dispatch = new Dispatch({
    clock,
    metrics,
    desk,
    driver,
    cache,
    open,
    serving,
    isShared: line !== undefined,
    tellMoved,
    mutants,
    ...links,
  });
  const replyDoor = new ReplyDoor({ desk, serving, line, runOf: (attemptId) => desk.runOf(attemptId) ?? open.runOf(attemptId) });
  const lineDoor = line === undefined ? undefined : lineDoorOf(line);
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
  const duty = new RelayDuty(relay, clock);
  const sweep = new SweepLoop({ clock, metrics, name: 'execution', sweep: () => walk() });
  const rank = (partition: number): number => partitions?.rank(partition) ?? 0;
  const consumers: readonly Consumer[] =
    partitions === undefined
      ? [{ spec: executionRun }]
      : Array.from({ length: PARTITIONS }, (_, partition) => ({ spec: executionPartition(partition), rank: () => rank(partition) }));
  let bound: readonly Bound[] = [];

  function partitionsOf(ours: Line): Partitions {
    return new Partitions({
      replica: replicaId(),
      line: ours,
      clock,
      onGained: (gained) => {
        if (gained.has(RELAYING_PARTITION)) duty.take();
        desk.takeOver();
        workingSet.nudge();
        void dispatch.gained(gained);
      },
      onLost: (lost) => {
        if (lost.has(RELAYING_PARTITION)) duty.drop();
        dispatch.lost(lost);
      },
    });
  }

  function lineDoorOf(ours: Line): LineDoor {
    const onMoved = (runId: Id): void => dispatch.moved(runId);
    return new LineDoor({ replica: replicaId(), line: ours, clock, metrics, desk, serving, onMoved });
  }

  function replicaId(): Id {
    invariant(isId(replica), 'a replica of execution has an id');
    return replica;
  }

  function tellMoved(ns: string, runId: Id): void {
    const server = serving.serverOf(partitionOf(runId));
    if (server !== undefined && server !== replica) line?.tell(subjects.desk(ns, server, 'moved'), toBytes({ runId }));
  }

  /** What was forgotten is offered again, and how things stand is told. */
  async function walk(): Promise<void> {
    await dispatch.offerForgotten({});
    dispatch.beginAnnounced();
    if (line === undefined) return;
    desk.tellStanding();
    metrics.gauge(metricNames.relayLag, relay.lagMs() / 1_000, { service: 'execution' });
  }

  async function handle(message: IncomingMessage): Promise<Settlement> {
    if (message.subject.split('.')[2] === 'reply') return replyDoor.take(message);
    const body = message.body as unknown as CommandMessage;
    const errors = checkCommand(message);
    if (errors.length > 0) return noCommand(isId(body.runId) ? body.runId : '', errors);
    try {
      const outcome = await driver.submit({
        runId: body.runId,
        command: { type: body.type, data: body.data } as unknown as RunCommand,
        actor: body.actor,
        causationId: body.causationId,
        ns: body.ns,
        ...(body.type === 'AbandonBranch' ? { shadow: String(body.data['branch']) } : {}),
      });
      return { kind: 'done', answer: answerOf(body.runId, outcome) as unknown as JsonObject };
    } catch (error) {
      if (error instanceof UnreadableEvent) return { kind: 'again', afterMs: PARKED_RETRY_MS };
      throw error; // A fault pauses the consumer, a bug counts.
    }
  }

  return {
    desk,
    handle,
    consumers,
    rank,
    async start() {
      await workingSet.start();
      await workingSet.caughtUp;
      if (partitions === undefined) await dispatch.offerForgotten({ recovering: true });
      if (partitions === undefined) await relay.start();
      if (options.bindBus !== false)
        bound = await Promise.all(consumers.map(({ spec, rank: rankNow }) => bus.consume(spec, handle, rankNow)));
      lineDoor?.start();
      partitions?.start();
      sweep.start();
    },
    leave() {
      partitions?.leave();
    },
    async stop() {
      partitions?.leave();
      await Promise.all(bound.map((binding) => binding.stop()));
      await sweep.stop();
      desk.stop();
      await lineDoor?.stop();
      await driver.drained();
      await duty.stop();
      await workingSet.stop();
    },
  };
}

/** What is none is nobody's to try again; who asked is told so. */
function noCommand(runId: Id, errors: readonly FieldError[]): Settlement {
  const detail = errors.map(({ pointer, rule, says }) => `${pointer} ${rule}: ${says}`).join('; ');
  const answer: CommandAnswer = { kind: 'rejected', runId, rejection: { code: 'command_invalid', detail, errors } };
  return { kind: 'never', reason: `command_invalid: ${detail}`, answer: answer as unknown as JsonObject };
}

/** The branch that an append has announced. */
function announcedIn({ events }: Extract<Outcome, { kind: 'accepted' }>): string | undefined {
  const last = events.at(-1);
  return last?.type === 'BranchSuperseded' || last?.type === 'ShadowOpened' ? announcementOf(last).branch : undefined;
}

function answerOf(runId: Id, outcome: Outcome): CommandAnswer {
  switch (outcome.kind) {
    case 'accepted':
      return {
        kind: 'accepted',
        runId,
        branch: announcedIn(outcome) ?? outcome.state.branch,
        revision: outcome.state.revision,
      };
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
