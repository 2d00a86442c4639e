import type { EpochMs } from '@cairn/kernel';

/** What has a time. */
export interface Timed {
  readonly at: EpochMs;
}

/** Earliest first; of equal times in the order they were added. A binary heap. */
export class DueHeap<T extends Timed> {
  private readonly entries: { readonly due: T; readonly order: number }[] = [];
  private added = 0;

  peek(): T | undefined {
    return this.entries[0]?.due;
  }

  add(due: T): void {
    const { entries } = this;
    entries.push({ due, order: this.added++ });
    for (let child = entries.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.isBefore(child, parent)) return;
      this.swap(child, parent);
      child = parent;
    }
  }

  take(): T | undefined {
    const { entries } = this;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined) return undefined;
    if (entries.length > 0) {
      entries[0] = last;
      this.sink();
    }
    return first.due;
  }

  clear(): void {
    this.entries.length = 0;
  }

  private sink(): void {
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      let least = parent;
      if (left < this.entries.length && this.isBefore(left, least)) least = left;
      if (right < this.entries.length && this.isBefore(right, least)) least = right;
      if (least === parent) return;
      this.swap(least, parent);
      parent = least;
    }
  }

  private isBefore(i: number, j: number): boolean {
    const [a, b] = [this.entries[i]!, this.entries[j]!];
    return a.due.at < b.due.at || (a.due.at === b.due.at && a.order < b.order);
  }

  private swap(i: number, j: number): void {
    [this.entries[i], this.entries[j]] = [this.entries[j]!, this.entries[i]!];
  }
}
