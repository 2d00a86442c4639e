import { instantOf, type Id, type Instant } from '@cairn/kernel';
import type { Pcg32 } from '@cairn/simulated';
import type { Clock } from '@cairn/ports';
import type { Covered } from '../coverage.js';
import type { TargetFaultRates } from '../swarm.js';

/** One request that reached a target. */
export interface TargetRequest {
  readonly run: Id;
  readonly step: string;
  readonly attemptId: Id;
  /** What the target de-duplicates by, where it does. */
  readonly key: string;
  /** Number of that attempt: the target refuses what a reconciliation has fenced off. */
  readonly attempt: number;
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

/** What a target needs of the world that it stands in. */
export interface TargetSurroundings {
  readonly clock: Clock;
  readonly random: Pcg32;
  readonly rates: TargetFaultRates;
  strikes(random: Pcg32, chance: number): boolean;
  note(what: string): void;
  cover(name: Covered): void;
}

/**
 * What effects act upon: a server of somebody else, with a ledger that forgets nothing. It answers, is slow, answers 500, 503 or 429,
 * hangs, or books and loses its answer (`reliability.md` §4.1).
 */
export class EffectServer {
  readonly requests: Booking[] = [];
  readonly bookings: Booking[] = [];
  private readonly booked = new Set<string>();
  /** By key the last attempt that comes too late, since somebody was told that there is no booking. */
  private readonly fenced = new Map<string, number>();

  constructor(private readonly world: TargetSurroundings) {}

  /** Books `request`, or not. `answer` is called at most once, in the world's own time; never by one that hangs. */
  book(request: TargetRequest, answer: (answer: TargetAnswer) => void): void {
    this.requests.push({ ...request, at: this.world.clock.now() });
    this.play(() => this.enter(request), answer);
  }

  /**
   * Whether there is a booking under a key, with the same moods. Once it has said that there is none it stays so: what of that attempt, or of
   * one before, is still on its way is refused.
   */
  look(
    { key, attempt }: Pick<TargetRequest, 'key' | 'attempt'>,
    answer: (answer: TargetAnswer & { readonly found?: boolean }) => void,
  ): void {
    let found = false;
    const enter = (): void => {
      found = this.booked.has(key);
      if (!found) this.fenced.set(key, Math.max(attempt, this.fenced.get(key) ?? 0));
    };
    this.play(enter, (told) => answer(told.status === 200 ? { ...told, found } : told));
  }

  /** A question that changes nothing, with the same moods. */
  ask(answer: (answer: TargetAnswer) => void): void {
    this.play(() => undefined, answer);
  }

  private play(enter: () => void, answer: (answer: TargetAnswer) => void): void {
    const after = (ms: number, task: () => void): void => void this.world.clock.after(1 + this.world.random.below(ms), task);
    const conduct = this.conduct();
    if (conduct !== 'ok') this.world.note(conduct);
    switch (conduct) {
      case 'ok':
      case 'slow':
        return after(conduct === 'ok' ? 100 : SLOW_MS, () => (enter(), after(100, () => answer({ status: 200 }))));
      case 'refuses':
        return after(100, () => answer({ status: 503 }));
      case 'vague': {
        const books = this.world.random.chance(0.5);
        return after(100, () => (books && enter(), answer({ status: 500 })));
      }
      case 'limits':
        return after(100, () =>
          answer({ status: 429, retryAfter: instantOf(this.world.clock.now() + 500 + this.world.random.below(RETRY_AFTER_MS)) }),
        );
      case 'hangs':
        if (this.world.random.chance(0.5)) after(2 * SLOW_MS, enter);
        return;
      case 'loses the answer':
        return after(100, () => (enter(), this.world.cover('answer lost after booking'), answer({ status: 'connection lost' })));
    }
  }

  private conduct(): Conduct {
    const { slow, refuses, vague, limits, hangs, losesAnswer } = this.world.rates;
    const does = (chance: number): boolean => this.world.strikes(this.world.random, chance);
    if (does(slow)) return 'slow';
    if (does(refuses)) return 'refuses';
    if (does(vague)) return 'vague';
    if (does(limits)) return 'limits';
    if (does(hangs)) return 'hangs';
    return does(losesAnswer) ? 'loses the answer' : 'ok';
  }

  private enter(request: TargetRequest): void {
    if (request.attempt <= (this.fenced.get(request.key) ?? 0)) {
      this.world.cover('booking refused after a look');
      return;
    }
    if (request.honours && this.booked.has(request.key)) {
      this.world.cover('booking asked for again');
      return;
    }
    this.booked.add(request.key);
    this.bookings.push({ ...request, at: this.world.clock.now() });
    this.world.note(`books ${request.key} for ${request.attemptId}`);
  }
}
