import { RELAY_RETRY_MS, Relay, SweepLoop, WorkingSet, type Folds } from '@cairn/application';
import { humanReviewCommands, humanReviewOnRunFacts, metricNames, reviewFactTypes } from '@cairn/contracts';
import type { Id, StoredEvent } from '@cairn/kernel';
import {
  done,
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
  type Timer,
} from '@cairn/ports';
import type { HumanReviewConfig } from './config.js';
import { reviewMessages } from './publishing/review-facts.js';
import { Reviewing } from './reviewing/reviewing.js';
import { ServingQueue } from './reviewing/serving-queue.js';
import { takeCommand } from './reviewing/take-command.js';
import { dueAtOf, isOwed, Reviews, type Unfinished } from './working-set/reviews.js';

export interface HumanReviewPorts {
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

export interface HumanReviewOptions extends HumanReviewPorts {
  readonly config?: HumanReviewConfig;
  /** What is folded here is put into it, for whoever makes it anew. */
  readonly folds?: Folds;
  /** `false` where doors of Nest bind the consumers and call the methods below. */
  readonly bindBus?: boolean;
  /** For the simulation's planted bugs alone; empty in production. */
  readonly mutants?: ReadonlySet<string>;
}

/** human-review: people decide. Follows what the history's tail brings; the bus only rings. */
export interface HumanReview {
  /** Resolves when the working set has caught up. Throws `StoreFault`. */
  start(): Promise<void>;
  /** Begins nothing new; resolves when what is under way has come to its end. */
  stop(): Promise<void>;
  /** Consumer `humanReviewOnRunFacts`: a run's history has grown. */
  onRunFact(message: IncomingMessage): Promise<Settlement>;
  /** Consumer `humanReviewCommands`. A fault makes the message come again. */
  takeCommand(message: IncomingMessage): Promise<Settlement>;
}

/** Due times further away than this are looked for again by then: timers of node hold 24 days at most. */
const TIMER_MS_MAX = 3_600_000;

/** Ports in, service out. */
export function assembleHumanReview(options: HumanReviewOptions): HumanReview {
  const { store, bus, disposables, clock, ids, metrics, config = {} } = options;
  const reviews = new Reviews();
  const reviewing = new Reviewing({ store, bus, clock, ids });
  const owed = (reviewId: Id): Unfinished | undefined => {
    const review = reviews.get(reviewId);
    return review !== undefined && isOwed(review, clock.now()) ? review : undefined;
  };
  const queue = new ServingQueue(async (review) => reviewing.serve(review).finally(() => workingSet.nudge()), owed, metrics);
  const relay = new Relay({
    name: 'human-review',
    types: reviewFactTypes,
    messagesOf: (event) => reviewMessages(event, store),
    store,
    bus,
    clock,
    metrics,
    ...(options.mutants === undefined ? {} : { mutants: options.mutants }),
  });
  let running = false;
  let alarm: Timer | undefined;
  let relayRetry: Timer | undefined;
  let bound: readonly Bound[] = [];

  const ringAll = (): Promise<void> => {
    if (running && workingSet.isLive) for (const review of reviews.all()) if (isOwed(review, clock.now())) queue.ring(review);
    setAlarm();
    metrics.gauge(metricNames.relayLag, relay.lagMs() / 1_000, { service: 'human-review' });
    return Promise.resolve();
  };
  const onFolded = (events: readonly StoredEvent[]): void => {
    if (!running) return;
    for (const { data } of events) {
      const review = owed(String(data['reviewId']));
      if (review !== undefined) queue.ring(review);
    }
    setAlarm();
  };
  const workingSet: WorkingSet = new WorkingSet({ store, disposables, clock, metrics }, reviews, {
    onFolded,
    onCaughtUp: () => sweepLoop.sweepNow(),
  });
  options.folds?.add('human-review', [workingSet]);
  const sweepLoop = new SweepLoop({
    clock,
    metrics,
    name: 'human-review',
    sweep: ringAll,
    ...(config.sweepIntervalMs === undefined ? {} : { intervalMs: config.sweepIntervalMs }),
  });

  /** Of several replicas each tells all: twice is harmless, and what one has told after its bookmark the next one tells again. */
  function tell(): void {
    relay.start().catch(() => {
      if (running) relayRetry = clock.after(RELAY_RETRY_MS, tell); // The store is away; what is told late is told all the same.
    });
  }

  /** Rings at the next due time; the sweep is there for whatever this misses. */
  function setAlarm(): void {
    alarm?.cancel();
    alarm = undefined;
    const now = clock.now();
    const ahead = reviews
      .all()
      .flatMap((review) => dueAtOf(review) ?? [])
      .filter((due) => due > now);
    if (!running || ahead.length === 0) return;
    alarm = clock.after(Math.min(Math.min(...ahead) - now, TIMER_MS_MAX), () => sweepLoop.sweepNow());
  }

  const service: HumanReview = {
    async start() {
      running = true;
      queue.start();
      sweepLoop.start();
      await workingSet.start();
      await workingSet.caughtUp;
      tell();
      if (options.bindBus === false) return;
      bound = await Promise.all([
        bus.consume(humanReviewOnRunFacts, (message) => service.onRunFact(message)),
        bus.consume(humanReviewCommands, (message) => service.takeCommand(message)),
      ]);
    },
    async stop() {
      running = false;
      alarm?.cancel();
      relayRetry?.cancel();
      await Promise.all(bound.map((one) => one.stop()));
      await sweepLoop.stop();
      await queue.stop();
      await relay.stop();
      await workingSet.stop();
    },
    onRunFact() {
      workingSet.nudge();
      return Promise.resolve(done);
    },
    takeCommand: async (message) => {
      const settlement = await takeCommand(reviewing, message);
      workingSet.nudge();
      return settlement;
    },
  };
  return service;
}
