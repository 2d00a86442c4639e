import type { BusFaults } from '@cairn/bus-memory';
import type { Pcg32 } from '@cairn/simulated';

/** Chances of what may go wrong in one operation of the store, 0 to 1. */
export interface StoreFaultRates {
  readonly refuse: number;
  readonly storedThenUnknown: number;
  readonly lostThenUnknown: number;
  readonly storedLater: number;
  readonly readFails: number;
  readonly tailLags: number;
  readonly tailRepeats: number;
  readonly tailEnds: number;
  /** A live subscription ends in the midst of a batch, and a new one goes on (`facts.md` §3.2b). */
  readonly subscriptionDrops: number;
  /** One error on the shared stream of appends: of all that a process has in flight nobody knows what became (T-16). */
  readonly appendStreamBreaks: number;
}

/** Chances of what a handler does with a task instead of working and answering once. */
export interface HandlerFaultRates {
  readonly dies: number;
  readonly stalls: number;
  readonly answersTwice: number;
  readonly answersLate: number;
}

/** Chances of what a target does with one request instead of doing it and saying so. */
export interface TargetFaultRates {
  readonly slow: number;
  /** 503, and nothing was done. */
  readonly refuses: number;
  /** 500, and perhaps it was done. */
  readonly vague: number;
  /** 429 with `Retry-After`. */
  readonly limits: number;
  /** No answer, and perhaps it is done later. */
  readonly hangs: number;
  readonly losesAnswer: number;
}

/** The fault plan of one seed: which faults are on, then how often they strike. */
export interface Swarm {
  /** Nothing strikes after this; then everything heals and must come to rest. */
  readonly faultsEndMs: number;
  /** A hop between a process and a port takes up to so long. */
  readonly latencyMaxMs: number;
  readonly bus: BusFaults;
  readonly store: StoreFaultRates;
  readonly handlers: HandlerFaultRates;
  /** Whether the second handler polls instead of keeping a session. */
  readonly polls: boolean;
  /** Chance that execution hears of a connection that broke. */
  readonly hangUpsTold: number;
  readonly targets: TargetFaultRates;
  /** Chance of a crash at each point where a service waits for a port. */
  readonly crash: number;
  readonly downMaxMs: number;
  /** Times at which all messages are lost, and at which the bus forgets the ids it has seen. */
  readonly busWipes: readonly number[];
  readonly busForgets: readonly number[];
  readonly storeOutages: readonly Span[];
  /** The store hangs instead of refusing: callers give up, and what they asked is done when it goes on. */
  readonly storeFreezes: readonly Span[];
  /** Nobody judges failures. */
  readonly retryPolicyOutages: readonly Span[];
  /** When policies get another version, which no run that has begun may notice. */
  readonly policyChanges: readonly number[];
  /** Execution runs twice, and one of the two is stopped and woken at these times. */
  readonly replicas: 1 | 2;
  readonly pauses: readonly Span[];
  /** Wall clocks are wrong by up to half of this, either way: two of them differ by at most all of it. */
  readonly skewMs: number;
  /** Chances of what a publisher does with an event that a run waits for. */
  readonly eventTwice: number;
  readonly nearMiss: number;
  /** Chances of what an operator does to a run. */
  readonly paused: number;
  readonly cancelled: number;
  /** Chances of what people do to a run that bears it: branches, shadows, deadlines put off, waits fired, effects undone. */
  readonly branched: number;
  readonly shadowed: number;
  readonly rescheduled: number;
  readonly fired: number;
  readonly undone: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

const SECOND = 1_000;

/** Draws a fault plan. One seed in eight has no faults at all: what fails there fails anywhere. */
export function drawSwarm(random: Pcg32): Swarm {
  const calm = random.chance(1 / 8);
  const on = (share: number): boolean => random.chance(share) && !calm;
  const rate = (share: number, max: number): number => {
    const is = on(share);
    const drawn = random.fraction() * max;
    return is ? drawn : 0;
  };
  const faultsEndMs = 10 * SECOND + random.below(20 * SECOND);
  const times = (share: number, max: number): number[] =>
    on(share) ? Array.from({ length: 1 + random.below(max) }, () => random.below(faultsEndMs)) : [];
  const spans = (share: number, max: number, lasts: number): Span[] =>
    times(share, max).map((from) => ({ from, to: from + 200 + random.below(lasts) }));
  const replicas: Swarm['replicas'] = on(0.3) ? 2 : 1;
  const swarm = {
    faultsEndMs,
    latencyMaxMs: random.pick([1, 3, 20]),
    bus: {
      refuse: rate(0.2, 0.1),
      drop: rate(0.4, 0.3),
      duplicate: rate(0.4, 0.3),
      delay: rate(0.4, 0.5),
      maxDelayMs: random.pick([200, 2 * SECOND, 10 * SECOND]),
      reorder: rate(0.3, 0.5),
      loseSettlement: rate(0.3, 0.2),
      loseAnswer: rate(0.3, 0.3),
    },
    store: {
      refuse: rate(0.25, 0.1),
      storedThenUnknown: rate(0.3, 0.15),
      lostThenUnknown: rate(0.3, 0.1),
      storedLater: rate(0.3, 0.1),
      readFails: rate(0.15, 0.05),
      tailLags: rate(0.4, 0.4),
      tailRepeats: rate(0.3, 0.3),
      tailEnds: rate(0.15, 0.05),
    },
    handlers: {
      dies: on(0.05) ? 0.95 : rate(0.25, 0.2), // Now and then nobody survives a task: retries run out.
      stalls: rate(0.3, 0.3),
      answersTwice: rate(0.3, 0.5),
      answersLate: rate(0.2, 0.2),
    },
    crash: rate(0.4, 0.02),
    downMaxMs: random.pick([100, 2 * SECOND, 15 * SECOND]),
    busWipes: times(0.2, 3),
    busForgets: times(0.15, 2),
    storeOutages: spans(0.1, 2, 5 * SECOND),
    replicas,
    pauses: replicas === 2 ? spans(0.7, 3, 8 * SECOND) : [],
    skewMs: on(0.4) ? 5 * SECOND : 0,
    eventTwice: rate(0.5, 0.8),
    nearMiss: rate(0.5, 0.8),
    polls: on(0.3),
    hangUpsTold: random.pick([0, 0.5, 1]),
    targets: {
      slow: rate(0.2, 0.2),
      refuses: rate(0.3, 0.5),
      vague: rate(0.2, 0.2),
      limits: rate(0.3, 0.5),
      hangs: rate(0.2, 0.2),
      losesAnswer: rate(0.2, 0.2),
    },
    retryPolicyOutages: spans(0.2, 2, 10 * SECOND),
    policyChanges: times(0.2, 1),
    paused: rate(0.3, 0.8),
    cancelled: rate(0.2, 0.8),
  };
  // Drawn last, so that seeds from before these faults keep their other faults.
  const store = { ...swarm.store, subscriptionDrops: rate(0.3, 0.3), appendStreamBreaks: rate(0.25, 0.05) };
  const storeFreezes = spans(0.15, 2, 9 * SECOND);
  const people = {
    branched: rate(0.4, 0.9),
    shadowed: rate(0.35, 0.9),
    rescheduled: rate(0.3, 0.8),
    fired: rate(0.8, 1),
    undone: rate(0.6, 1),
  };
  return { ...swarm, store, storeFreezes, ...people };
}
