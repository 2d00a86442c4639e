import { SweepLoop, WorkingSet, type Folds } from '@cairn/application';
import { schedulingCommands, schedulingIntake, schedulingOnRunFacts } from '@cairn/contracts';
import type { JsonObject, StoredEvent } from '@cairn/kernel';
import {
  done,
  isFault,
  type Artifacts,
  type Bound,
  type Bus,
  type Clock,
  type EventStore,
  type Ids,
  type IncomingMessage,
  type Metrics,
  type NamedArtifacts,
  type Randomness,
  type Settlement,
} from '@cairn/ports';
import type { SchedulingConfig } from './config.js';
import { answerCommand } from './answer-command.js';
import { DefinitionShelf } from './definitions/definition-shelf.js';
import { ExecutionDesk } from './execution-desk.js';
import { Intake } from './intake/intake.js';
import { ReceiptBook } from './intake/receipt-book.js';
import { beginningOfRun } from './matching/beginning-of-run.js';
import { KeptLooks } from './matching/kept-looks.js';
import { LateDefinitions } from './matching/late-definitions.js';
import { Matcher } from './matching/matcher.js';
import { Waker } from './matching/wakes.js';
import { noMutants, type Mutants } from './mutants.js';
import { receiptAgain, receiptFact } from './publishing/receipt-facts.js';
import { DueTimes } from './sweeping/due-times.js';
import { react, type Reaction, type ReactionParts } from './sweeping/reactions.js';
import { Sweep } from './sweeping/sweep.js';
import { SchedulingSet } from './working-set/scheduling-set.js';

export interface SchedulingPorts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  /** Checkpoints. */
  readonly disposables: NamedArtifacts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
}

export interface SchedulingOptions extends SchedulingPorts {
  readonly config?: SchedulingConfig;
  /** What is folded here is put into it, for whoever makes it anew. */
  readonly folds?: Folds;
  /** `false` where doors of Nest bind the consumers and call the methods below. */
  readonly bindBus?: boolean;
  /** For the simulation's planted bugs alone; empty in production. */
  readonly mutants?: Mutants;
}

/** Scheduling: when a run may start and when it may go on. The doors call it; everything else comes from the tail and the clock. */
export interface Scheduling {
  /** Resolves when the working set has caught up and events are taken. Throws `StoreFault`. */
  start(): Promise<void>;
  /** Takes nothing new, ends timers and tails; resolves when what is under way has come to its end. */
  stop(): Promise<void>;
  /** Consumer `schedulingIntake`. */
  takeEvent(message: IncomingMessage): Promise<Settlement>;
  /** Consumer `schedulingCommands`. */
  takeCommand(message: IncomingMessage): Promise<Settlement>;
  /** Consumer `schedulingOnRunFacts`: a run's history has grown. */
  onRunFact(): Promise<Settlement>;
  /** Sets the gauges that are only looked at when somebody scrapes. */
  tellMetrics(): void;
}

/** Ports in, service out. */
export function assembleScheduling(options: SchedulingOptions): Scheduling {
  return new AssembledScheduling(options);
}

class AssembledScheduling implements Scheduling {
  private readonly set = new SchedulingSet();
  private readonly workingSet: WorkingSet;
  private readonly intake: Intake;
  private readonly dueTimes: DueTimes;
  private readonly looks: KeptLooks;
  private readonly reactionParts: ReactionParts;
  private readonly sweep: Sweep;
  private readonly sweepLoop: SweepLoop;
  private readonly reacting = new Set<Promise<void>>();
  private bound: readonly Bound[] = [];
  private running = false;

  constructor(private readonly options: SchedulingOptions) {
    const { store, bus, artifacts, disposables, clock, ids, metrics, mutants = noMutants, config = {} } = options;
    const { set } = this;
    const ports = { store, artifacts, clock, metrics };
    const desk = new ExecutionDesk(bus, ids);
    const book = new ReceiptBook(ports);
    const shelf = new DefinitionShelf(ports, set.definitions);
    const waker = new Waker(desk, mutants);
    const matcher = new Matcher({ ports, set, shelf, desk, waker, mutants });
    this.intake = new Intake({
      ports,
      set,
      book,
      matcher,
      mutants,
      clock,
      nudge: () => this.workingSet.nudge(),
      tellAgain: (ns, receipt) => this.inBackground(bus.publish(receiptAgain(ns, receipt, ids.next()))),
    });
    const load: Intake['load'] = (ns, receiptId) => this.intake.load(ns, receiptId);
    const tell: ReceiptBook['settle'] = (ns, receiptId, lines) => book.settle(ns, receiptId, lines);
    this.looks = new KeptLooks({ clock, set, waker, load, tell, beganOf: (runId) => beginningOfRun(store, runId) });
    const lateDefinitions = new LateDefinitions({ clock, set, shelf, desk, load, tell });
    this.dueTimes = new DueTimes({ clock, metrics, set, desk, mutants });
    this.sweep = new Sweep({
      metrics,
      set,
      intake: this.intake,
      book,
      looks: this.looks,
      lateDefinitions,
      dueTimes: this.dueTimes,
      mutants,
    });
    this.reactionParts = { set, dueTimes: this.dueTimes, looks: this.looks, lateDefinitions };
    this.sweepLoop = new SweepLoop({
      clock,
      metrics,
      name: 'scheduling',
      sweep: () => (this.workingSet.isLive ? this.sweep.walk() : Promise.resolve()),
      ...(config.sweepIntervalMs === undefined ? {} : { intervalMs: config.sweepIntervalMs }),
    });
    this.workingSet = new WorkingSet({ store, disposables, clock, metrics }, set, {
      onFolded: (events) => this.onFolded(events),
      onCaughtUp: () => this.onCaughtUp(),
      onReplaced: () => shelf.forget(),
    });
    options.folds?.add('scheduling', [this.workingSet]);
  }

  async start(): Promise<void> {
    this.running = true;
    this.dueTimes.start();
    this.sweepLoop.start();
    await this.workingSet.start();
    await this.workingSet.caughtUp;
    if (this.options.bindBus !== false) await this.bindBus();
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.bound.map((bound) => bound.stop()));
    await this.sweepLoop.stop();
    await this.dueTimes.stop();
    await Promise.all(this.reacting);
    await this.workingSet.stop();
  }

  takeEvent(message: IncomingMessage): Promise<Settlement> {
    return this.intake.take(message);
  }

  async takeCommand(message: IncomingMessage): Promise<Settlement> {
    const answer = await answerCommand(this.options, message);
    if (answer === undefined) {
      const rejection = { code: 'command_unknown', detail: `scheduling knows no such command: ${message.subject}` };
      return { kind: 'never', reason: rejection.detail, answer: { kind: 'rejected', rejection } };
    }
    this.workingSet.nudge();
    return { kind: 'done', answer: answer as unknown as JsonObject };
  }

  onRunFact(): Promise<Settlement> {
    this.workingSet.nudge();
    return Promise.resolve(done);
  }

  tellMetrics(): void {
    this.dueTimes.tellOverdue();
  }

  private async bindBus(): Promise<void> {
    const { bus } = this.options;
    this.bound = await Promise.all([
      bus.consume(schedulingIntake, (message) => this.takeEvent(message)),
      bus.consume(schedulingCommands, (message) => this.takeCommand(message)),
      bus.consume(schedulingOnRunFacts, () => this.onRunFact()),
    ]);
  }

  /** Everything open is looked at once: what happened while nobody listened has left no bell behind. */
  private onCaughtUp(): void {
    for (const wait of this.set.waits.all()) this.looks.note(wait);
    this.reactionParts.lateDefinitions.noteAll();
    this.dueTimes.derive();
    this.sweepLoop.sweepNow();
  }

  private onFolded(events: readonly StoredEvent[]): void {
    if (!this.running) return;
    const wanted = new Set<Reaction>();
    for (const event of events) {
      for (const reaction of react(this.reactionParts, event))
        if (reaction === 'publish') this.inBackground(this.options.bus.publish(receiptFact(event)));
        else wanted.add(reaction);
    }
    for (const reaction of wanted) this.inBackground(this.carryOut(reaction));
  }

  private carryOut(reaction: Reaction): Promise<void> {
    switch (reaction) {
      case 'look':
        return this.sweep.lookForKept();
      case 'tell':
        return this.sweep.tellWakes();
      case 'start':
        return this.sweep.startFromKept();
      case 'publish':
        return Promise.resolve();
    }
  }

  /** A fault here costs one sweep; a bug is counted, for the sweep would meet it again. */
  private inBackground(work: Promise<void>): void {
    const reacting: Promise<void> = work
      .catch((error: unknown) =>
        this.options.metrics.count('cairn_reaction_errors_total', { service: 'scheduling', kind: isFault(error) ? 'fault' : 'bug' }),
      )
      .finally(() => this.reacting.delete(reacting));
    this.reacting.add(reacting);
  }
}
