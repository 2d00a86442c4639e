import { instantOf, type Id, type Instant } from '@cairn/kernel';
import type { Pcg32 } from '@cairn/simulated';
import type { World } from './world.js';

/** One request that reached a target. */
export interface TargetRequest {
  readonly run: Id;
  readonly step: string;
  readonly attemptId: Id;
  /** What the target de-duplicates by, where it does. */
  readonly key: string;
  /** Whether this target honours keys; else every request books anew. */
  readonly honours: boolean;
}

/** What came back. `503` and `429` promise that nothing was booked, `500` promises nothing. */
export type TargetAnswer =
  { readonly status: 200 | 500 | 503 } | { readonly status: 429; readonly retryAfter: Instant } | { readonly status: 'connection lost' };

export interface Booking extends TargetRequest {
  readonly at: number;
}

type Conduct = 'ok' | 'slow' | 'refuses' | 'vague' | 'limits' | 'hangs' | 'loses the answer';

const SLOW_MS = 4_000;
const RETRY_AFTER_MS = 4_000;

/**
 * What effects act upon: a server of somebody else, with a ledger that forgets nothing. It answers, is slow, answers 500, 503 or 429,
 * hangs, or books and loses its answer (`reliability.md` §4.1).
 */
export class EffectServer {
  readonly requests: Booking[] = [];
  readonly bookings: Booking[] = [];
  private readonly booked = new Set<string>();
  private readonly random: Pcg32;

  constructor(private readonly world: World) {
    this.random = world.random.fork('target');
  }

  /** Books `request`, or not. `answer` is called at most once, in the world's own time; never by one that hangs. */
  book(request: TargetRequest, answer: (answer: TargetAnswer) => void): void {
    this.requests.push({ ...request, at: this.world.scheduler.now });
    this.play(() => this.enter(request), answer);
  }

  /** A question that changes nothing, with the same moods. */
  ask(answer: (answer: TargetAnswer) => void): void {
    this.play(() => undefined, answer);
  }

  private play(enter: () => void, answer: (answer: TargetAnswer) => void): void {
    const after = (ms: number, task: () => void): void => void this.world.clock.after(1 + this.random.below(ms), task);
    const conduct = this.conduct();
    if (conduct !== 'ok') this.world.note('target', conduct);
    switch (conduct) {
      case 'ok':
      case 'slow':
        return after(conduct === 'ok' ? 100 : SLOW_MS, () => (enter(), after(100, () => answer({ status: 200 }))));
      case 'refuses':
        return after(100, () => answer({ status: 503 }));
      case 'vague': {
        const books = this.random.chance(0.5);
        return after(100, () => (books && enter(), answer({ status: 500 })));
      }
      case 'limits':
        return after(100, () =>
          answer({ status: 429, retryAfter: instantOf(this.world.clock.now() + 500 + this.random.below(RETRY_AFTER_MS)) }),
        );
      case 'hangs':
        if (this.random.chance(0.5)) after(2 * SLOW_MS, enter);
        return;
      case 'loses the answer':
        return after(100, () => (enter(), this.world.coverage.note('answer lost after booking'), answer({ status: 'connection lost' })));
    }
  }

  private conduct(): Conduct {
    const { slow, refuses, vague, limits, hangs, losesAnswer } = this.world.swarm.targets;
    const does = (chance: number): boolean => this.world.strikes(this.random, chance);
    if (does(slow)) return 'slow';
    if (does(refuses)) return 'refuses';
    if (does(vague)) return 'vague';
    if (does(limits)) return 'limits';
    if (does(hangs)) return 'hangs';
    return does(losesAnswer) ? 'loses the answer' : 'ok';
  }

  private enter(request: TargetRequest): void {
    if (request.honours && this.booked.has(request.key)) {
      this.world.coverage.note('booking asked for again');
      return;
    }
    this.booked.add(request.key);
    this.bookings.push({ ...request, at: this.world.scheduler.now });
    this.world.note('target', `books ${request.key} for ${request.attemptId}`);
  }
}
