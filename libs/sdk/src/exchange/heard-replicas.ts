import { lineSubjects, PRESENCE_BEAT_MS, PRESENCE_PATIENCE_MS, type Presence } from '@cairn/contracts';
import { isId, type Id } from '@cairn/kernel';
import type { Clock, Line, LineMessage, Listening, Timer } from '@cairn/ports';

/** Told of replicas that come and go. */
export interface ReplicaFollower {
  joined(replica: Id): void;
  left(replica: Id): void;
  /** It has missed a beat. Whoever asks it something now learns at once whether its connection is closed. */
  missed?(replica: Id): void;
}

/** A beat may come half a beat late before anybody asks. */
const MISSED_AFTER_MS = PRESENCE_BEAT_MS * 1.5;

/**
 * The replicas of execution that are heard on the line. One that says that it leaves, or at whose subjects nobody listens, is gone at
 * once; one that is mute after `PRESENCE_PATIENCE_MS`. One that is heard again is there again.
 */
export class HeardReplicas {
  private readonly heardAt = new Map<Id, number>();
  private readonly followers = new Set<ReplicaFollower>();
  private readonly listening: Listening;
  private looking: Timer;
  private lastLook: number;

  constructor(
    line: Pick<Line, 'listen'>,
    private readonly clock: Clock,
  ) {
    this.listening = line.listen(lineSubjects.presence, (message) => this.hear(message));
    this.lastLook = clock.monotonicMs();
    this.looking = clock.after(PRESENCE_BEAT_MS, () => this.look());
  }

  /** Whoever is heard now, in the order of joining. */
  get ids(): readonly Id[] {
    return [...this.heardAt.keys()];
  }

  has(replica: Id): boolean {
    return this.heardAt.has(replica);
  }

  /** Is told of those that are heard already, then of every change. Answers how to end that. */
  follow(follower: ReplicaFollower): () => void {
    this.followers.add(follower);
    for (const replica of this.ids) follower.joined(replica);
    return () => this.followers.delete(follower);
  }

  /** Resolves when a replica is heard, at the latest after `patienceMs`. Says whether one is. */
  async some(patienceMs: number): Promise<boolean> {
    if (this.heardAt.size > 0) return true;
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        unfollow();
        resolve(this.heardAt.size > 0);
      };
      const timer = this.clock.after(patienceMs, end);
      const unfollow = this.follow({ joined: end, left: () => undefined });
    });
  }

  /** Nobody listens at its subjects any more. */
  gone(replica: Id): void {
    if (!this.heardAt.delete(replica)) return;
    for (const follower of [...this.followers]) follower.left(replica);
  }

  stop(): void {
    this.listening.stop();
    this.looking.cancel();
    this.followers.clear();
  }

  private hear({ data }: LineMessage): void {
    const { replica, leaving } = presenceOf(data) ?? {};
    if (!isId(replica)) return; // Whoever may write here is no replica of this release.
    if (leaving === true) return this.gone(replica);
    const isNew = !this.heardAt.has(replica);
    this.heardAt.set(replica, this.clock.monotonicMs());
    if (isNew) for (const follower of [...this.followers]) follower.joined(replica);
  }

  private look(): void {
    const now = this.clock.monotonicMs();
    // A look that comes late was held up here: beats may lie unread.
    if (now - this.lastLook < 2 * PRESENCE_BEAT_MS) {
      for (const [replica, heardAt] of [...this.heardAt]) {
        if (now - heardAt > PRESENCE_PATIENCE_MS) this.gone(replica);
        else if (now - heardAt > MISSED_AFTER_MS) for (const follower of [...this.followers]) follower.missed?.(replica);
      }
    }
    this.lastLook = now;
    this.looking = this.clock.after(PRESENCE_BEAT_MS, () => this.look());
  }
}

function presenceOf(data: Uint8Array): Partial<Presence> | undefined {
  try {
    const presence: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return typeof presence === 'object' && presence !== null ? presence : undefined;
  } catch {
    return undefined;
  }
}
