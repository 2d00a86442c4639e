import { START } from '@eventstore/db-client';
import type { Clock } from '@cairn/ports';
import type { AllSubscription } from './all-subscription.js';
import { comparePositions, type LogPosition } from './position.js';
import type { LogRecord, Reading } from './reading.js';

/** Records of one look into the gap: about what the server filters between two checkpoints. */
const GAP_PAGE = 500;
/** How long a subscription may stand still before the gap behind it is looked into: once it is live, and before. */
const STILL_LIVE_MS = 10;
const STILL_MS = 250;
/** How long a wanted event that is in the log may stay out before the subscription counts as dead. */
const OVERDUE_MS = 1_000;

export interface GapListener {
  /** The position up to which the tail wants to be sure that it has everything; `undefined`: none now. */
  readonly target: () => LogPosition | undefined;
  readonly isWanted: (record: LogRecord) => boolean;
  readonly moved: () => void;
}

/**
 * A filtered subscription says nothing of what it leaves out, but for a checkpoint every few hundred events. So when it stands still
 * before a position that the tail wants to have seen, the records between are read: if none is wanted the tail is there, and if one
 * is and does not come, the subscription is dead and opened again.
 */
export class GapWatch {
  private looking = false;

  constructor(
    private readonly clock: Clock,
    private readonly reading: Reading,
    private readonly subscription: AllSubscription,
    private readonly listener: GapListener,
  ) {}

  look(): void {
    if (this.looking || !this.isBehind()) return;
    this.looking = true;
    void this.watch().finally(() => (this.looking = false));
  }

  private async watch(): Promise<void> {
    while (this.isBehind()) {
      const at = this.subscription.position;
      if (await this.movesFrom(at, this.subscription.isLive ? STILL_LIVE_MS : STILL_MS)) continue;
      const found = await this.scan(at).catch(() => 'unknown' as const);
      if (found === 'unknown') await this.pause(STILL_MS);
      if (found !== 'wanted' || this.subscription.isPaused) continue;
      if (!(await this.movesFrom(this.subscription.position, OVERDUE_MS)) && this.isBehind()) this.subscription.reopen();
    }
  }

  /** Moves the subscription's position over what nobody wants, up to the first record that is wanted. */
  private async scan(at: LogPosition | undefined): Promise<'wanted' | 'nothing'> {
    const records = await this.reading.from(at ?? START, GAP_PAGE);
    let last: LogPosition | undefined;
    for (const record of records) {
      if (at !== undefined && comparePositions(record.position, at) <= 0) continue;
      if (this.listener.isWanted(record)) {
        if (last !== undefined) this.advance(last);
        return 'wanted';
      }
      last = record.position;
    }
    if (last !== undefined) this.advance(last);
    return 'nothing';
  }

  private advance(position: LogPosition): void {
    this.subscription.advance(position);
    this.listener.moved();
  }

  private isBehind(): boolean {
    const target = this.listener.target();
    if (target === undefined) return false;
    const { position } = this.subscription;
    return position === undefined || comparePositions(position, target) < 0;
  }

  /** Whether the subscription has moved from a position within a time. */
  private async movesFrom(at: LogPosition | undefined, withinMs: number): Promise<boolean> {
    await this.pause(withinMs);
    return this.subscription.position !== at;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }
}
