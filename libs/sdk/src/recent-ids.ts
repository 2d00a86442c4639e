import type { Id } from '@cairn/kernel';

/** Ids remembered at least: some seconds of a process at 10,000 steps/s, far longer than two answers can overtake each other. */
const REMEMBERED_MIN = 16_384;

/** Whether an attempt was seen before, in bounded memory: two generations, of which the older is dropped when the younger is full. */
export class RecentIds {
  #young = new Set<Id>();
  #old = new Set<Id>();

  /** `false` if the id is known. */
  add(id: Id): boolean {
    if (this.#young.has(id) || this.#old.has(id)) return false;
    if (this.#young.size >= REMEMBERED_MIN) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(id);
    return true;
  }
}
