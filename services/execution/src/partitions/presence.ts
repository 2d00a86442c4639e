import { lineSubjects, PRESENCE_BEAT_MS, PRESENCE_PATIENCE_MS, subjects, type Presence as Beat } from '@cairn/contracts';
import { isId, type Id } from '@cairn/kernel';
import type { Clock, Line, Listening, Timer } from '@cairn/ports';
import { fromBytes, toBytes } from './words.js';

/** After so much silence a replica is asked whether it is there: a closed connection answers for itself. */
const MISSED_MS = 1.5 * PRESENCE_BEAT_MS;
/** So long a replica listens before it ranks itself: by then every other that lives has been heard, twice. */
const LISTEN_MS = 2 * PRESENCE_BEAT_MS;
/** A beat of its own that has not come back after so long lies unread somewhere, and so may all that others say. */
const ECHO_MS = 3 * PRESENCE_BEAT_MS;
/** A replica serves all namespaces; a question to it must name one. */
const ANY_NS = 'default';

export interface PresenceOptions {
  readonly replica: Id;
  readonly line: Line;
  readonly clock: Clock;
  /** Others came or went, or this one began or ceased to hear the world. */
  readonly onChange: () => void;
}

interface Peer {
  heardAt: number;
  /** It serves partitions. */
  ranks: boolean;
  asked: boolean;
}

/**
 * Which replicas of execution live, as this one hears it. It hears its own beats, too: while it does not, or has not run its timers, it
 * was stopped or is cut off, and what it believes of the others is old. Then it only listens for two beats before it ranks itself again
 * (F-12, F-18, F-48).
 */
export class Presence {
  private readonly peers = new Map<Id, Peer>();
  private listening: Listening | undefined;
  private timer: Timer | undefined;
  private tickedAt = 0;
  private heardItselfAt = Number.NEGATIVE_INFINITY;
  private hearingSince: number | undefined;
  private awake = false;
  private stopped = false;

  constructor(private readonly options: PresenceOptions) {}

  start(): void {
    this.listening = this.options.line.listen(lineSubjects.presence, ({ data }) => this.hear(fromBytes(data) as Partial<Beat> | undefined));
    this.tickedAt = this.options.clock.monotonicMs();
    this.tick();
  }

  /** The last word: the others take over at once. */
  leave(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.timer?.cancel();
    this.listening?.stop();
    this.say({ replica: this.options.replica, leaving: true });
    this.fallAsleep();
  }

  /** The replicas that serve partitions; this one is among them only while it hears the world. */
  living(): readonly Id[] {
    const others = [...this.peers].filter(([, { ranks }]) => ranks).map(([replica]) => replica);
    return this.isAwake ? [this.options.replica, ...others] : others;
  }

  /** Asked at every turn: a process that was stopped does not know it before its timers have run. */
  get isAwake(): boolean {
    return this.awake && this.options.clock.monotonicMs() - this.tickedAt <= PRESENCE_PATIENCE_MS;
  }

  /** Whether its own beats come back at once: while they do not, the silence of others says nothing. */
  get hears(): boolean {
    return this.options.clock.monotonicMs() - this.heardItselfAt <= ECHO_MS;
  }

  private tick(): void {
    const now = this.options.clock.monotonicMs();
    const heldUpMs = Math.max(0, now - this.tickedAt - PRESENCE_BEAT_MS);
    const late = now - this.tickedAt > PRESENCE_PATIENCE_MS;
    this.tickedAt = now;
    // What came while this process was held up lies unread in a socket: nobody's silence counts for so long.
    for (const peer of this.peers.values()) peer.heardAt += heldUpMs;
    if (late) this.fallAsleep();
    else if (now - this.heardItselfAt > PRESENCE_PATIENCE_MS) this.fallAsleep();
    else if (!this.awake && this.hearingSince !== undefined && now - this.hearingSince >= LISTEN_MS) {
      this.awake = true;
      this.options.onChange();
    }
    this.say({ replica: this.options.replica, ...(this.awake ? {} : { joining: true as const }) });
    this.judgePeers(now);
    this.timer = this.options.clock.after(PRESENCE_BEAT_MS, () => this.tick());
  }

  private say(beat: Beat): void {
    this.options.line.tell(subjects.presence(this.options.replica), toBytes(beat));
  }

  private hear(beat: Partial<Beat> | undefined): void {
    if (this.stopped || !isId(beat?.replica)) return;
    const { replica, joining, leaving } = beat;
    const now = this.options.clock.monotonicMs();
    if (replica === this.options.replica) {
      this.heardItselfAt = now;
      this.hearingSince ??= now;
      return;
    }
    if (leaving === true) return this.gone(replica);
    const known = this.peers.get(replica);
    const ranks = joining !== true;
    this.peers.set(replica, { heardAt: now, ranks, asked: false });
    if ((known?.ranks ?? false) !== ranks) this.options.onChange();
  }

  private judgePeers(now: number): void {
    for (const [replica, peer] of this.peers) {
      const silence = now - peer.heardAt;
      if (silence > PRESENCE_PATIENCE_MS) this.gone(replica);
      else if (silence > MISSED_MS && !peer.asked) this.askAfter(replica, peer);
    }
  }

  private askAfter(replica: Id, peer: Peer): void {
    peer.asked = true;
    const { line, clock } = this.options;
    line.ask(subjects.desk(ANY_NS, replica, 'holder'), toBytes({ attemptId: replica }), PRESENCE_PATIENCE_MS).then(
      () => {
        peer.heardAt = clock.monotonicMs();
        peer.asked = false;
      },
      (fault: unknown) => {
        if (!this.stopped && isNobodyThere(fault) && this.peers.get(replica) === peer) this.gone(replica);
      },
    );
  }

  private gone(replica: Id): void {
    const peer = this.peers.get(replica);
    this.peers.delete(replica);
    if (peer?.ranks === true) this.options.onChange();
  }

  private fallAsleep(): void {
    this.hearingSince = undefined;
    if (!this.awake) return;
    this.awake = false;
    this.options.onChange();
  }
}

const isNobodyThere = (fault: unknown): boolean => fault instanceof Error && 'code' in fault && fault.code === 'no_consumer';
