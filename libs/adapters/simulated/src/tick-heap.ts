/** Something that happens at a point of virtual time. Among those of one instant the smaller `tie` comes first, then the older. */
export interface Tick {
  readonly at: number;
  readonly tie: number;
  readonly order: number;
}

const before = (a: Tick, b: Tick): boolean => (a.at !== b.at ? a.at < b.at : a.tie !== b.tie ? a.tie < b.tie : a.order < b.order);

/** A binary heap of ticks. */
export class TickHeap<T extends Tick> {
  private readonly items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  push(tick: T): void {
    const { items } = this;
    let at = items.push(tick) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(tick, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = tick;
  }

  pop(): T | undefined {
    const { items } = this;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
      if (!before(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
