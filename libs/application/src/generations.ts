/**
 * A bounded memory of the most recently used: two generations of at most half the bound each; when the young one is full it becomes
 * the old one, and the old one is forgotten. (Deleting a Map's oldest entries one by one costs more with every entry: the engine
 * walks over the places of those that are gone.)
 */
export class Generations<K, V> {
  private young = new Map<K, V>();
  private old = new Map<K, V>();
  private readonly half: number;

  constructor(max: number) {
    this.half = Math.max(1, Math.floor(max / 2));
  }

  get(key: K): V | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const older = this.old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  /** The value without using it: what is remembered then depends on what was set alone. */
  peek(key: K): V | undefined {
    return this.young.get(key) ?? this.old.get(key);
  }

  /** Everything that is remembered. */
  *entries(): Iterable<[K, V]> {
    yield* this.young;
    for (const [key, value] of this.old) if (!this.young.has(key)) yield [key, value];
  }

  set(key: K, value: V): void {
    this.young.set(key, value);
    if (this.young.size < this.half) return;
    this.old = this.young;
    this.young = new Map();
  }

  delete(key: K): void {
    this.young.delete(key);
    this.old.delete(key);
  }

  deleteWhere(matches: (key: K) => boolean): void {
    for (const generation of [this.young, this.old]) for (const key of generation.keys()) if (matches(key)) generation.delete(key);
  }
}
