import { FRAME_HOLD_MS, HANG_UP_GRACE_MS, type ExchangeRequest, type HangUp } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import type { Assignment } from './assignment.js';
import type { Books } from './books.js';
import { isOut, mayHold } from './entry.js';
import { OpenFrame } from './open-frame.js';
import { SESSION_PATIENCE_MS } from './patience.js';
import { Session, type Entry } from './session.js';

/** Later frames may overtake a session's first one, large ones take longer to read: but not so many. */
const FIRST_FRAME_LEAD_MAX = 16;
/** A timer that fires so late was held up in this process: what it waited for may lie unread in a socket. */
const LATE_MS = 250;

export interface SessionsParts {
  readonly clock: Clock;
  readonly books: Books;
  readonly assignment: Assignment;
  /** What is the session's goes to it with its next answer. */
  readonly send: (entry: Entry, session: Session) => unknown;
}

/** The worker sessions that live: heard, waiting for an answer, or silent for no longer than they may be. */
export class Sessions {
  private readonly sessions = new Map<Id, Session>();
  private stopped = false;

  constructor(private readonly parts: SessionsParts) {}

  get(id: Id): Session | undefined {
    return this.sessions.get(id);
  }

  /** Frames that are held open are answered; no session ends any more. */
  stop(): void {
    this.stopped = true;
    for (const session of this.sessions.values()) {
      session.grace?.cancel();
      session.release?.();
    }
  }

  /** Takes in what a frame says. The frame before it that is held open is answered: the newer one takes what comes next. */
  heard(ns: string, frame: ExchangeRequest): Session {
    const { books, assignment, clock } = this.parts;
    const now = clock.monotonicMs();
    if (frame.replaces !== undefined && frame.replaces !== frame.session) this.end(frame.replaces, 'its session was replaced');
    this.endEarlierLife(frame);
    const session = this.sessions.get(frame.session) ?? this.begin(ns, frame, now);
    for (const attemptId of frame.held) {
      const entry = books.get(attemptId);
      if (entry?.session !== undefined || entry === undefined || !mayHold(entry, session.id)) continue;
      entry.shared ||= entry.rung !== undefined; // The ring may have brought it to another, too.
      books.markGiven(entry, session, frame.handler, now);
    }
    for (const missing of session.hear(frame, now)) {
      missing.givenSeq = Infinity;
      this.parts.send(missing, session);
    }
    assignment.join(session);
    session.release?.();
    return session;
  }

  /** A session that counts from the beginning again is another process under the same name: what the first had, it does not have. */
  private endEarlierLife({ session: id, seq }: ExchangeRequest): void {
    const before = this.sessions.get(id);
    if (before !== undefined && seq === 1 && before.lastSeq > FIRST_FRAME_LEAD_MAX) this.end(id, 'its session began anew');
  }

  /** Its last connection is closed although no frame was under way: it has a moment to come back, like one whose frame was cut. */
  lostConnection(id: Id): void {
    const session = this.sessions.get(id);
    if (session !== undefined) this.onCut(session);
  }

  /** A frame of the session is under way from now on. */
  open(session: Session, gone: HangUp | undefined): OpenFrame {
    return new OpenFrame(session, gone, () => this.onCut(session));
  }

  /** Resolves when the frame can be answered: there is news, a newer frame, nobody to be told, or it was held for so long. */
  hold(session: Session, open: OpenFrame, holdMs = FRAME_HOLD_MS): Promise<void> {
    return new Promise((resolve) => {
      const release = (): void => {
        timer.cancel();
        if (session.release === release) session.release = undefined;
        resolve();
      };
      const timer = this.parts.clock.after(holdMs, release);
      session.release = release;
      open.held(release);
    });
  }

  /** Answers every frame that is held open, so that sessions speak again. */
  answerAll(): void {
    for (const session of this.sessions.values()) session.release?.();
  }

  /** Monotonic: since then each session that is known has sent two frames. -Infinity while none is known. */
  allHeardTwiceSince(): number {
    let since = this.sessions.size === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    for (const { heardBefore } of this.sessions.values()) since = Math.min(since, heardBefore);
    return since;
  }

  /** Ends the sessions that have missed their beats. */
  endSilent(now: number): void {
    for (const session of this.sessions.values()) {
      if (session.frames === 0 && now - session.lastBeat > SESSION_PATIENCE_MS) this.end(session.id, 'its session missed three beats');
    }
  }

  /** A session that is heard for the first time here; after a restart it may be one that claims were granted to. */
  private begin(ns: string, frame: ExchangeRequest, now: number): Session {
    const { books } = this.parts;
    const session = new Session(frame.session, ns, now);
    this.sessions.set(session.id, session);
    for (const entry of books.entries()) {
      if (entry.phase !== 'recovering' || entry.grantedTo === undefined) continue;
      if (entry.grantedTo === frame.replaces) books.lapse(entry, 'lease', 'its session was replaced');
      if (entry.grantedTo !== session.id) continue;
      // If it does not say so itself, the answer that held the grant may have been lost: as with any task, it goes again.
      books.markGiven(entry, session, frame.handler, now);
      entry.givenSeq = frame.seq;
    }
    return session;
  }

  /** A session whose last frame was cut off has a moment to come back with another one. */
  private onCut(session: Session): void {
    const { clock } = this.parts;
    if (session.frames > 0 || this.stopped || this.sessions.get(session.id) !== session) return;
    const due = clock.monotonicMs() + HANG_UP_GRACE_MS;
    session.grace?.cancel();
    session.grace = clock.after(HANG_UP_GRACE_MS, () => {
      if (clock.monotonicMs() - due > LATE_MS) this.onCut(session);
      else this.end(session.id, 'its connection was cut');
    });
  }

  /** All that it has is lost, but for what has not left: that is anybody's. */
  private end(id: Id, message: string): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    const { books, assignment } = this.parts;
    this.sessions.delete(id);
    session.grace?.cancel();
    assignment.leave(session);
    const had = [...session.has.values()];
    session.has.clear();
    session.outbox = [];
    session.release?.();
    for (const entry of had) {
      entry.session = undefined;
      if (entry.claiming) continue; // Whoever asks will see that the session is gone.
      if (isOut(entry) || entry.grantedTo !== undefined) books.lapse(entry, 'lease', message);
      else assignment.enqueue(entry);
    }
  }
}
