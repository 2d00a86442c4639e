/** What happens to a batch of one key's items. Must not throw: each item is answered on its own. */
export type ProcessBatch<K, T> = (key: K, items: readonly T[]) => Promise<void>;

/**
 * One mailbox a key: items of one key are processed in the order in which they came, one batch after another; those that come while
 * a batch is under way form the next one. Different keys do not wait for each other. An item that finds its mailbox idle is handed
 * over at once, in the same tick, so that appends of many runs can share one durable commit.
 */
export class Mailboxes<K, T> {
  private readonly boxes = new Map<K, T[]>();
  private idle: (() => void)[] = [];

  constructor(private readonly process: ProcessBatch<K, T>) {}

  put(key: K, item: T): void {
    const waiting = this.boxes.get(key);
    if (waiting !== undefined) waiting.push(item);
    else {
      this.boxes.set(key, []);
      void this.run(key, [item]);
    }
  }

  get size(): number {
    return this.boxes.size;
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    if (this.boxes.size > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private async run(key: K, first: readonly T[]): Promise<void> {
    let batch = first;
    while (batch.length > 0) {
      await this.process(key, batch);
      batch = this.boxes.get(key) ?? [];
      if (batch.length > 0) this.boxes.set(key, []);
    }
    this.boxes.delete(key);
    if (this.boxes.size > 0) return;
    const idle = this.idle;
    this.idle = [];
    for (const resolve of idle) resolve();
  }
}
