import { StoreFault, type Tail, type TailedEvent, type TailReader } from '@cairn/ports';
import type { TailFault } from './faults.js';

/** Events of one `deliver` at most: what the libSQL adapter reads at once, so that readers meet the same batches here. */
const BATCH_MAX = 500;

/** The store's side of a tail: the log, and what may disturb the reading of it. */
export interface TailSource {
  readonly log: readonly TailedEvent[];
  /** Resolves when the store can be read; `undefined` when it can now. */
  readonly away: () => Promise<void> | undefined;
  readonly fault: () => TailFault | undefined;
  readonly forget: (tail: MemoryTail) => void;
}

/** One reader of the log. Delivers in microtasks alone, so that whoever drains promises has seen all that will come. */
export class MemoryTail implements Tail {
  private next: number;
  private stopped = false;
  private woken = false;
  private pumping: Promise<void> | undefined;

  constructor(
    private readonly source: TailSource,
    private readonly types: ReadonlySet<string> | undefined,
    after: number,
    private readonly reader: TailReader,
  ) {
    this.next = after;
    this.wake();
  }

  wake(): void {
    if (this.stopped) return;
    this.woken = true;
    this.pumping ??= this.pump();
  }

  nudge(): void {
    this.wake();
  }

  async stop(): Promise<void> {
    this.end();
    await this.pumping;
  }

  private async pump(): Promise<void> {
    await Promise.resolve(); // The reader never runs inside `append` or `tail`.
    try {
      while (this.woken && !this.stopped) {
        this.woken = false;
        while (!this.stopped && (await this.deliverBatch()));
        if (!this.stopped && !this.woken) this.reader.caughtUp?.();
      }
    } catch (fault) {
      this.end();
      this.reader.onFault(fault);
    } finally {
      this.pumping = undefined;
    }
  }

  /** False when nothing was left to look at. */
  private async deliverBatch(): Promise<boolean> {
    await this.source.away();
    if (this.next >= this.source.log.length) return false;
    const fault = this.source.fault();
    if (fault?.kind === 'ends') throw new StoreFault('store_unavailable', 'the tail was dropped');
    if (fault?.kind === 'lags') await fault.until;
    const from = fault?.kind === 'repeats' ? Math.max(0, this.next - fault.events) : this.next;
    const taken = this.take(from);
    const batch = fault?.kind === 'drops' ? this.dropped(from, taken, fault.delivered) : taken;
    if (batch.length > 0 && !this.stopped) await this.reader.deliver(batch);
    if (fault?.kind === 'drops') await fault.until;
    return true;
  }

  private take(from: number): TailedEvent[] {
    const { log } = this.source;
    const batch: TailedEvent[] = [];
    let at = from;
    for (; at < log.length && batch.length < BATCH_MAX; at++) {
      const tailed = log[at]!;
      if (this.types === undefined || this.types.has(tailed.event.type)) batch.push(tailed);
    }
    if (at > this.next) this.next = at; // A repetition may end before what is new begins.
    return batch;
  }

  /** What was delivered of a batch when its subscription ended: the next one goes on behind that. */
  private dropped(from: number, batch: readonly TailedEvent[], delivered: number): readonly TailedEvent[] {
    const before = batch.slice(0, delivered);
    this.next = Number(before.at(-1)?.position ?? from); // A position is the number of events up to and including it.
    return before;
  }

  private end(): void {
    this.stopped = true;
    this.source.forget(this);
  }
}
