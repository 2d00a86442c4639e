import type { Plan } from '@cairn/domain-definition';
import {
  announcementOf,
  forkAt,
  forkWanted,
  initialState,
  INLINE_BYTES_MAX,
  type ApplyVerdict,
  type ArtifactRef,
  type CommandContext,
  type OpenBranch,
  type RunCommand,
  type RunEvent,
  type RunState,
  type WakingEvent,
} from '@cairn/domain-run';
import { decideRun, MissingOutput, NOTHING_LOADED, type RunRejection } from '@cairn/domain-run/decider';
import {
  canon,
  instantOf,
  invariant,
  isId,
  reviewStream,
  runStream,
  sealAppend,
  type Because,
  type Decision,
  type EpochMs,
  type ExpectedRevision,
  type Id,
  type Json,
  type StoredEvent,
} from '@cairn/kernel';
import { crashPoint, type Generations, Mailboxes } from '@cairn/application';
import { isFault, StoreFault, type Artifacts, type Clock, type EventStore, type Randomness } from '@cairn/ports';
import type { Documents } from './documents.js';
import type { LoadedRun, RunLoader } from './run-loader.js';

/** A command on its way to a run, with what its append will say of it. */
export interface Order {
  readonly runId: Id;
  readonly command: RunCommand;
  readonly actor: string;
  readonly causationId: string;
  /** Given where it came from outside: a run of another namespace is none that it may name. */
  readonly ns?: string;
  /** Given for a shadow: everything else is for the head. */
  readonly shadow?: string;
}

/** What became of an order, after its append. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly state: RunState; readonly events: readonly StoredEvent[] }
  | { readonly kind: 'nothing'; readonly state: RunState; readonly because: Because }
  | { readonly kind: 'rejected'; readonly state: RunState; readonly rejection: RunRejection };

export interface DriverOptions {
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly documents: Documents;
  readonly loader: RunLoader;
  /** Folded states of hot runs; what is dropped is read again. */
  readonly cache: Generations<Id, LoadedRun>;
  /** Told of every append that is durable, in the run's order. */
  readonly onAppended: (before: RunState, after: RunState, events: readonly StoredEvent[], plan: Plan) => void;
  readonly mutants?: ReadonlySet<string>;
}

/** Races that one order may lose in a row before it is handed back as a fault. */
const RACES_MAX = 16;

interface Pending {
  readonly order: Order;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * Drives runs: fold, decide, append, tell. One mailbox a run, one order after another, each with an append of its own at its exact
 * revision: an append that was decided on one whose outcome is not known yet could land behind somebody else's and break the chain
 * (ADR 0007). Whoever loses a race reads again and decides anew; nobody is told anything before the append is durable (P-1).
 */
export class Driver {
  private readonly mailboxes = new Mailboxes<string, Pending>((key, batch) => this.process(key, batch));

  constructor(private readonly options: DriverOptions) {}

  /** Resolves after the append; rejects with a fault (nothing is known to have happened: ask again) or a bug. */
  submit(order: Order): Promise<Outcome> {
    return new Promise((resolve, reject) => this.mailboxes.put(keyOf(order), { order, resolve, reject }));
  }

  drained(): Promise<void> {
    return this.mailboxes.drained();
  }

  /** The run as it stands, from the cache or the store. */
  async look(runId: Id, opening = false): Promise<LoadedRun> {
    const cached = this.options.cache.get(runId);
    if (cached !== undefined) return cached;
    const loaded = await this.options.loader.load(runId, opening);
    if (loaded.state.started !== null) this.options.cache.set(runId, loaded);
    return loaded;
  }

  /** A live shadow of a run, or one that is over; `undefined`: the run has no such shadow. It is opened if nobody has done that yet. */
  async lookAtShadow(runId: Id, branch: string): Promise<LoadedRun | undefined> {
    const key = keyOf({ runId, shadow: branch });
    const cached = this.options.cache.get(key);
    if (cached !== undefined) return cached;
    const loaded = await this.options.loader.shadow(runId, branch);
    if (loaded !== undefined) this.options.cache.set(key, loaded);
    return loaded;
  }

  private async process(key: string, batch: readonly Pending[]): Promise<void> {
    for (const { order, resolve, reject } of batch) {
      try {
        resolve(await this.carryOut(key, order, resolve));
      } catch (fault) {
        this.options.cache.delete(key);
        reject(fault);
      }
    }
  }

  /** Decides and appends until it is not outrun by another writer. */
  private async carryOut(key: string, order: Order, early: (outcome: Outcome) => void): Promise<Outcome> {
    const { runId } = order;
    for (let race = 0; race < RACES_MAX; race++) {
      const cached = this.options.cache.get(key);
      const run = cached ?? (race === 0 && order.command.type === 'StartRun' ? unstarted(runId) : await this.lookFor(order));
      crashPoint('folded');
      const decided = this.decide(run, order);
      const { plan, decision, state, now } = decided instanceof Promise ? await decided : decided;
      crashPoint('decided');
      if (decision.kind !== 'accepted' && race === 0 && (cached !== undefined || order.command.type === 'StartRun')) {
        // Nothing will be appended, so no revision would tell that another replica has moved the run: look before saying no (F-12).
        this.options.cache.delete(key);
        continue;
      }
      if (decision.kind !== 'accepted') return { ...decision, state };

      const events = this.seal(run, order, now, decision.events);
      const outcome: Outcome = { kind: 'accepted', state, events };
      if (this.options.mutants?.has('M-5') === true) early(outcome); // Planted bug: answered before the append.
      if (await this.append(run, events)) {
        invariant(plan !== undefined, 'an appended run has a plan');
        const after: LoadedRun = { state, lastHash: events.at(-1)?.metadata.hash ?? run.lastHash, plan };
        this.remember(run, after, events);
        this.options.onAppended(run.state, state, events, plan);
        if (state.superseded !== null) await this.goOn(runId, events);
        else if (events.at(-1)?.type === 'ShadowOpened') this.beginShadow(runId, events);
        return outcome;
      }
      this.options.cache.delete(key);
      // Whoever moved the run judges this lease, too: it is looked at anew (`architecture.md` §4.2).
      if (order.command.type === 'RecordLapse')
        throw new StoreFault('store_unavailable', `run ${runId} was moved while its lease was judged`);
    }
    throw new StoreFault('store_unavailable', `run ${runId}: lost ${RACES_MAX} races`);
  }

  /**
   * The run goes on on another branch: opens it, and lets it begin with what it owes. What fails here the sweep finds (F-54); what was asked
   * for is durable already.
   */
  private async goOn(runId: Id, events: readonly StoredEvent[]): Promise<void> {
    const announced = events.at(-1);
    if (announced === undefined) return;
    try {
      await this.look(runId, true);
      void this.submit(branchOrder(runId, announced)).catch(() => undefined);
    } catch (fault) {
      if (!isFault(fault)) throw fault;
    }
  }

  /** What fails here the sweep finds, as with any branch that was announced. */
  private beginShadow(runId: Id, events: readonly StoredEvent[]): void {
    const announced = events.at(-1);
    if (announced !== undefined) void this.submit(branchOrder(runId, announced)).catch(() => undefined);
  }

  private async lookFor({ runId, shadow }: Order): Promise<LoadedRun> {
    if (shadow === undefined) return this.look(runId);
    // Whoever names a shadow that is none means the head, which says so.
    return (await this.lookAtShadow(runId, shadow)) ?? this.look(runId);
  }

  /** A run that has ended is not kept: what still comes for it is rare, and memory is for those that move. */
  private remember(before: LoadedRun, run: LoadedRun, events: readonly StoredEvent[]): void {
    const { runId, end, superseded } = run.state;
    const { shadow, branch } = run.state;
    if (shadow !== null) {
      const key = keyOf({ runId, shadow: branch });
      if (end === null) this.options.cache.set(key, run);
      else this.options.cache.delete(key);
    } else if (superseded !== null) this.options.cache.delete(runId);
    else if (end === null) {
      this.options.cache.set(runId, run);
      this.options.loader.snapshotIfDue(before, run, events);
    } else {
      this.options.cache.delete(runId);
      this.options.loader.forget(runId);
    }
  }

  private decide(run: LoadedRun, order: Order): Decided | Promise<Decided> {
    const { command } = order;
    if (order.ns !== undefined && run.state.started !== null && run.state.started.ns !== order.ns) return this.noSuchRun(run.state);
    const plan = run.plan ?? (command.type === 'StartRun' ? this.options.documents.known(command.data.definition) : undefined);
    const needsPolicies = command.type === 'StartRun' && run.state.started === null;
    const needsEvent = command.type === 'WakeRun' && command.data.kind === 'event' && isUnloaded(command.data.event);
    const needsFork = command.type === 'OpenBranch';
    const needsReview = command.type === 'ApplyVerdict' || command.type === 'ApplyEscalation';
    if (plan === undefined || needsPolicies || needsEvent || needsFork || needsReview) return this.decideAfterLoading(run, order, plan);
    const context = this.context(order);
    try {
      const { decision, after } = decideRun(plan, run.state, command, context);
      return { plan, now: this.atOf(context), decision, state: after };
    } catch (error) {
      if (error instanceof MissingOutput) return this.decideAfterLoading(run, order, plan);
      throw error;
    }
  }

  /** Loads what the decision needs first: the definition, policies to pin, an event's large data, what people decided, outputs held by reference. */
  private async decideAfterLoading(run: LoadedRun, order: Order, known: Plan | undefined): Promise<Decided> {
    let { command } = order;
    const { documents } = this.options;
    let plan = known;
    if (command.type === 'StartRun') {
      plan ??= await documents.planFor(command.data.ns, command.data.definition);
      const policies = await documents.pinPolicies(command.data.ns, plan);
      if ('missing' in policies) {
        // Retry-policy writes `default` when it starts: this start comes first and is taken again.
        if (policies.missing === 'default') throw new StoreFault('store_unavailable', 'policy default is not there yet');
        return {
          plan,
          now: this.options.clock.now(),
          state: run.state,
          decision: { kind: 'rejected', rejection: { code: 'policy_not_found', detail: `there is no policy ${policies.missing}` } },
        };
      }
      command = { ...command, data: { ...command.data, policies: policies.pins } };
    }
    if (command.type === 'WakeRun' && command.data.kind === 'event') {
      const { event } = command.data;
      if (isUnloaded(event))
        command = { ...command, data: { ...command.data, event: { ...event, loaded: await documents.load(event.dataRef) } } };
    }
    if (command.type === 'OpenBranch' && run.state.started !== null) command = await this.withFork(run.state, command);
    if (command.type === 'ApplyVerdict' || command.type === 'ApplyEscalation')
      command = { ...command, data: await this.withDecision(command.data) } as RunCommand;
    if (command.type === 'ApplyVerdict' && plan !== undefined) command = await this.withProposal(plan, run.state, command);
    const context = this.context(order);
    if (plan === undefined) return this.noSuchRun(run.state);
    const loaded = new Map<string, Json>();
    for (;;) {
      try {
        const { decision, after } = decideRun(plan, run.state, command, context, loaded.size === 0 ? NOTHING_LOADED : loaded);
        return { plan, now: this.atOf(context), decision, state: after };
      } catch (error) {
        if (!(error instanceof MissingOutput)) throw error;
        loaded.set(error.artifact, await documents.load({ artifact: error.artifact, bytes: 0, mediaType: 'application/json' }));
      }
    }
  }

  /** Reads where the branch shall grow, and the head that it was asked for, which the head may have left behind. */
  private async withFork(head: RunState, { type, data }: OpenBranch): Promise<OpenBranch> {
    const { branches, lineage } = await this.options.loader.lineage(head.runId);
    const fork = forkAt(branches, { branch: data.from.branch, at: String(data.from.at) });
    const [branch = '', revision = ''] = (data.expectHead ?? '').split('@');
    const isPast = branch === head.branch && Number(revision) < head.revision;
    const parent = 'point' in fork ? lineage.at(fork.point.branch, fork.point.revision) : undefined;
    return {
      type,
      data: {
        ...data,
        fork: parent === undefined ? fork : { ...fork, state: parent },
        ...(isPast ? { expected: lineage.at(branch, Number(revision)) } : {}),
        ...(parent === undefined || parent.started === null
          ? {}
          : { documents: await this.options.documents.forBranch(parent.started, data) }),
      },
    };
  }

  /** What the review's own stream says at the revision that the command names: whatever the command brought along is not believed (W-8). */
  private async withDecision({ reviewId, revision }: ApplyVerdict['data']): Promise<ApplyVerdict['data']> {
    if (!isId(reviewId) || !Number.isSafeInteger(revision) || revision < 0) return { reviewId, revision };
    const { store } = this.options;
    const [opened] = await store.read(reviewStream(reviewId), 0, 0);
    const [event] = await store.read(reviewStream(reviewId), revision, revision);
    if (opened === undefined || event === undefined) return { reviewId, revision };
    return { reviewId, revision, recorded: { type: event.type, runId: String(opened.data['run']), data: event.data } };
  }

  /** Where what was reviewed was begun, if the decision sends it back there. */
  private async withProposal(plan: Plan, head: RunState, { type, data }: ApplyVerdict): Promise<ApplyVerdict> {
    const wanted = forkWanted(plan, head, data.reviewId, data.recorded);
    if (wanted === undefined) return { type, data };
    const { branches, lineage } = await this.options.loader.lineage(head.runId);
    const fork = forkAt(branches, wanted);
    return {
      type,
      data: { ...data, fork: 'point' in fork ? { ...fork, state: lineage.at(fork.point.branch, fork.point.revision) } : fork },
    };
  }

  private noSuchRun(state: RunState): Decided {
    const rejection = { code: 'run_not_found', detail: 'there is no such run' } as const;
    return { plan: undefined, now: this.options.clock.now(), state, decision: { kind: 'rejected', rejection } };
  }

  private context({ causationId, command }: Order): CommandContext {
    const trusting = this.options.mutants?.has('M-12') === true && command.type === 'ExpireWait'; // Planted bug: the asker's clock decides.
    const now = this.options.clock.now() + (trusting ? 60_000 : 0);
    return { now, entropy: this.options.randomness.entropy(), causationId };
  }

  /** M-12 decides by a clock that is ahead; what it stores still says when that was. */
  private atOf({ now }: CommandContext): EpochMs {
    return this.options.mutants?.has('M-12') === true ? this.options.clock.now() : now;
  }

  private seal({ state, lastHash }: LoadedRun, order: Order, now: EpochMs, events: readonly RunEvent[]): StoredEvent[] {
    const ns = state.started?.ns ?? (order.command.type === 'StartRun' ? order.command.data.ns : '');
    return sealAppend(
      {
        stream: runStream(state.runId, state.branch),
        expected: expectedAfter(state),
        prevHash: lastHash,
        ns,
        runId: state.runId,
        branch: state.branch,
        at: instantOf(now),
        actor: order.actor,
        causationId: order.causationId,
      },
      events,
    );
  }

  /** Whether these events stand in the stream. An unknown outcome is cleared up by looking for our own ids (W-1). */
  private async append({ state }: LoadedRun, events: readonly StoredEvent[]): Promise<boolean> {
    const { store } = this.options;
    const stream = runStream(state.runId, state.branch);
    try {
      return (await store.append(stream, expectedAfter(state), events)).kind === 'appended';
    } catch (fault) {
      if (!isUnknown(fault)) throw fault;
      const stored = await store.read(stream, state.revision + 1, state.revision + events.length);
      return stored.length === events.length && stored.every(({ eventId }, i) => eventId === events[i]?.eventId);
    }
  }
}

interface Decided {
  readonly plan: Plan | undefined;
  /** The time that the decision went by, which its events carry. */
  readonly now: EpochMs;
  readonly decision: Decision<RunEvent, RunRejection>;
  /** After the decision's events. */
  readonly state: RunState;
}

/** Lets the branch begin that an event has announced. */
export function branchOrder(runId: Id, event: Pick<StoredEvent, 'eventId' | 'type' | 'data'>): Order {
  const { branch, shadow } = announcementOf(event);
  return {
    runId,
    command: { type: 'WakeRun', data: { kind: 'branch', branch } },
    actor: 'service:execution',
    causationId: event.eventId,
    ...(shadow ? { shadow: branch } : {}),
  };
}

/** A shadow is driven beside its run's head: it has a mailbox and a place in the cache of its own. */
const keyOf = ({ runId, shadow }: Pick<Order, 'runId' | 'shadow'>): string => (shadow === undefined ? runId : `${runId}+${shadow}`);

/** An event whose data is an artifact that nobody has loaded yet. */
const isUnloaded = (event: WakingEvent): boolean => event.dataRef !== undefined && event.loaded === undefined;

/** What a start believes before it has looked: that it is the first. If not, its append conflicts and the run is read. */
const unstarted = (runId: Id): LoadedRun => ({ state: initialState(runId), lastHash: '', plan: undefined });

const expectedAfter = (state: RunState): ExpectedRevision => (state.revision < 0 ? 'no_stream' : state.revision);

const isUnknown = (fault: unknown): boolean => fault instanceof Error && 'code' in fault && fault.code === 'append_unknown';

/** A value that is too large to stand in an event, put where its bytes are durable before the event that names them is appended. */
export async function outOfLine(artifacts: Artifacts, value: Json): Promise<ArtifactRef | undefined> {
  const text = canon(value);
  if (text.length <= INLINE_BYTES_MAX / 4) return undefined; // At most four bytes a character.
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= INLINE_BYTES_MAX) return undefined;
  return { artifact: `sha256:${await artifacts.put(bytes)}`, bytes: bytes.length, mediaType: 'application/json' };
}
