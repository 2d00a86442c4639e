import type { Id } from '@cairn/kernel';
import type { Clock, Line, Timer } from '@cairn/ports';
import { LineCaller } from './line-caller.js';

/** A session that has said nothing for so long is asked after; one that works sends a frame at least every `FRAME_HOLD_MS`. */
const SILENT_MS = 250;
/** A session whose frames have ceased for so long has ended long ago. */
const FORGET_MS = 10_000;

/**
 * Who speaks for the sessions that come over the line, so that a process that dies is noticed by its closed connection and not by three
 * missed beats: as `kill -9` closes its sockets on HTTP.
 */
export class LineCallers {
  private readonly callers = new Map<Id, LineCaller>();
  private timer: Timer | undefined;

  /** `onLost` is told of a session whose speaker is gone. */
  constructor(
    private readonly line: Line,
    private readonly clock: Clock,
    private readonly onLost: (session: Id) => void,
  ) {}

  start(): void {
    this.timer = this.clock.after(SILENT_MS, () => {
      this.look();
      this.start();
    });
  }

  stop(): void {
    this.timer?.cancel();
  }

  /** A frame of the session came from there. */
  heard(session: Id, aliveAt: string | undefined): LineCaller {
    const now = this.clock.monotonicMs();
    const known = this.callers.get(session);
    if (known?.isAt(aliveAt) === true) {
      known.heard(now);
      return known;
    }
    const caller = new LineCaller(aliveAt, now);
    this.callers.set(session, caller);
    return caller;
  }

  /** Whoever spoke for the session says that it is gone: its frames that are held open are no beats any more. */
  lost(session: Id): void {
    const caller = this.callers.get(session);
    this.callers.delete(session);
    caller?.hangUp();
    this.onLost(session);
  }

  private look(): void {
    const now = this.clock.monotonicMs();
    for (const [session, caller] of this.callers) {
      const silence = now - caller.heardAt;
      if (caller.aborted || silence > FORGET_MS) this.callers.delete(session);
      else if (silence >= SILENT_MS) caller.lookAfter(this.line, () => this.onLost(session));
    }
  }
}
