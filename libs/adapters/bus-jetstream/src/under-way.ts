import type { Clock } from '@cairn/ports';
import type { Delivery } from './delivery.js';

/** Of `ackWaitMs`: so often the server hears that a message is being worked on, so that one word may be late or lost. */
const WORKING_SHARE = 1 / 3;

interface Entry {
  /** The last one that came: its word counts, also for those before. */
  readonly delivery: Delivery;
  /** When the server heard of the message last. */
  toldMs: number;
}

/**
 * Messages that this process works on. A message that takes longer than `ackWaitMs` would come again, and again while it waits for the same
 * thing as before: where the store is slow that feeds on itself until nothing moves. So the server is told that there is work, and what
 * comes again all the same begins nothing. Who is frozen or dead tells nothing, and `ackWaitMs` gives its messages to another.
 */
export class UnderWay {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly clock: Clock,
    private readonly ackWaitMs: number,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  begin(delivery: Delivery): void {
    this.entries.set(delivery.place, { delivery, toldMs: this.clock.monotonicMs() });
  }

  /** Whether it came again while it is under way: then the outcome settles this delivery, too. */
  isAgain(delivery: Delivery): boolean {
    if (!this.entries.has(delivery.place)) return false;
    this.begin(delivery);
    return true;
  }

  /** The delivery that is to be settled. */
  newest(delivery: Delivery): Delivery {
    return this.entries.get(delivery.place)?.delivery ?? delivery;
  }

  end({ place }: Delivery): void {
    this.entries.delete(place);
  }

  /** Called again and again, more often than a third of `ackWaitMs`. */
  tell(): void {
    if (this.entries.size === 0) return;
    const now = this.clock.monotonicMs();
    for (const entry of this.entries.values()) {
      if (now - entry.toldMs < this.ackWaitMs * WORKING_SHARE) continue;
      entry.toldMs = now;
      entry.delivery.working();
    }
  }
}
