import { FRAME_HOLD_MS } from '@cairn/contracts';
import type { Clock } from '@cairn/ports';
import type { Assignment } from './assignment.js';
import type { Books } from './books.js';
import { isLeaseNonce } from './claim.js';
import type { Claims } from './claims.js';
import { SESSION_PATIENCE_MS } from './patience.js';
import type { Entry } from './session.js';
import type { Sessions } from './sessions.js';
import type { Task } from './task.js';

/** After a start nobody can be heard before the doors are open: so long at most before silence counts against a session that holds a claim. */
const DOORS_PATIENCE_MS = 5_000;
/** While sessions must be heard twice their frames are held no longer, and looked for as often. */
const TAKE_OVER_BEAT_MS = 50;

export interface RecoveryParts {
  readonly clock: Clock;
  readonly books: Books;
  readonly assignment: Assignment;
  readonly sessions: Sessions;
  readonly claims: Claims;
}

/**
 * Attempts that the history has open and somebody may have, whom this desk did not give them to: after a start, and after other replicas'
 * partitions were taken over. Who has one says so in his next frames; what nobody speaks of is offered again, or lost if it was granted.
 */
export class Recovery {
  private readonly startedAt: number;
  /** Monotonic: by then every session that lives has been heard. */
  private sessionsHeardBy: number;
  private isSpokenTo = false;
  private takingOverUntil = Number.NEGATIVE_INFINITY;

  /** `look`: see at once who has spoken. */
  constructor(
    private readonly parts: RecoveryParts,
    private readonly look: () => void,
  ) {
    this.startedAt = parts.clock.monotonicMs();
    this.sessionsHeardBy = this.startedAt + DOORS_PATIENCE_MS;
  }

  /** The first that is heard after a start says that the doors are open. */
  spokenTo(): void {
    if (this.isSpokenTo) return;
    this.isSpokenTo = true;
    this.sessionsHeardBy = Math.min(this.sessionsHeardBy, this.parts.clock.monotonicMs() + SESSION_PATIENCE_MS);
  }

  /** Another replica's attempts are ours from now on: every session is made to say what it has. */
  takeOver(): void {
    const now = this.parts.clock.monotonicMs();
    const isRunning = now < this.takingOverUntil;
    this.takingOverUntil = now + SESSION_PATIENCE_MS;
    this.sessionsHeardBy = Math.max(this.sessionsHeardBy, this.takingOverUntil);
    this.parts.sessions.answerAll();
    if (!isRunning) this.again();
  }

  /** How long a frame may be held now. */
  get holdMs(): number {
    return this.parts.clock.monotonicMs() < this.takingOverUntil ? TAKE_OVER_BEAT_MS : FRAME_HOLD_MS;
  }

  /** Judges what nobody has said to have. `heardSince`: since then each session has spoken twice. */
  judge(entry: Entry, now: number, heardSince: number): void {
    if (now <= entry.recoverBy && !this.isKnownToBeFree(entry, heardSince)) return;
    const { books, assignment, sessions, claims } = this.parts;
    if (entry.grantedTo === undefined) return assignment.enqueue(entry);
    const session = sessions.get(entry.grantedTo);
    if (session !== undefined) {
      // The answer with the grant was lost on its way: as with any task, it goes again.
      session.assign(entry);
      void claims.forSession(entry, session);
    } else if (now > entry.recoverBy && (isLeaseNonce(entry.grantedTo) || now > this.sessionsHeardBy))
      books.lapse(entry, 'lease', 'whoever it was granted to is gone');
  }

  /**
   * Each session has sent two frames since: the second was written after all that it held was known to it, and it lists that. A desk that has
   * just started may have sessions that it does not know, so it waits.
   */
  private isKnownToBeFree({ offeredAt, grantedTo }: Entry, heardSince: number): boolean {
    if (offeredAt > this.takingOverUntil || offeredAt - this.startedAt < SESSION_PATIENCE_MS) return false;
    return heardSince > offeredAt && (grantedTo === undefined || !isLeaseNonce(grantedTo));
  }

  private again(): void {
    this.parts.clock.after(TAKE_OVER_BEAT_MS, () => {
      this.look();
      if (this.parts.clock.monotonicMs() < this.takingOverUntil && !this.parts.assignment.isStopped) this.again();
    });
  }
}

/** How long an attempt that somebody may have waits to be spoken of. One that another replica granted is judged there, or by its time-out. */
export function patienceFor({ nonce, leaseMs, timeoutMs }: Task, recovering: boolean): number {
  if (!recovering) return timeoutMs;
  return nonce !== undefined && isLeaseNonce(nonce) ? leaseMs : SESSION_PATIENCE_MS;
}
