import { CACHE_ENTRIES_MAX } from './limits.js';

/** Keeps what was compiled last. Full: the entry that was used longest ago goes. Forgetting costs a compilation, never a meaning. */
export class BoundedCache<V> {
  readonly #entries = new Map<string, V>();

  getOrMake(key: string, make: () => V): V {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      if (this.#entries.size >= CACHE_ENTRIES_MAX) {
        this.#entries.delete(key); // Only a full cache needs to know who was used last.
        this.#entries.set(key, known);
      }
      return known;
    }
    const made = make();
    if (this.#entries.size >= CACHE_ENTRIES_MAX) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, made);
    return made;
  }
}
