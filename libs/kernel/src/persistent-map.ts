/**
 * An immutable map from text to values: `set` and `delete` give a new map that shares all but O(log n) nodes with the old one.
 * So folding an event costs the same in a run of 50 and of 5,000 steps, and a branch shares its parent's state.
 * Two maps of one ancestry can be compared in time proportional to what differs (`diff`), which is what makes the state digest
 * incremental. Iteration order is that of hashes: stable for equal content, meaningless otherwise.
 *
 * A hash array mapped trie (Bagwell 2001) of 32-way nodes.
 */
export class PersistentMap<V> {
  private constructor(
    private readonly root: Node<V> | undefined,
    readonly size: number,
  ) {}

  private static readonly none = new PersistentMap<never>(undefined, 0);

  static empty<V>(): PersistentMap<V> {
    return PersistentMap.none as unknown as PersistentMap<V>;
  }

  static of<V>(entries: Iterable<readonly [string, V]>): PersistentMap<V> {
    let map = PersistentMap.empty<V>();
    for (const [key, value] of entries) map = map.set(key, value);
    return map;
  }

  get(key: string): V | undefined {
    return this.root === undefined ? undefined : find(this.root, hashOf(key), 0, key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Values may not be `undefined`: that is what `get` answers for an absent key. */
  set(key: string, value: V): PersistentMap<V> {
    const hash = hashOf(key);
    const leaf: Leaf<V> = { hash, key, value };
    if (this.root === undefined) return new PersistentMap<V>(leaf, 1);
    const before = find(this.root, hash, 0, key);
    if (before === value) return this;
    return new PersistentMap<V>(insert(this.root, leaf, 0), before === undefined ? this.size + 1 : this.size);
  }

  delete(key: string): PersistentMap<V> {
    if (this.root === undefined || !this.has(key)) return this;
    return this.size === 1 ? PersistentMap.empty<V>() : new PersistentMap<V>(remove(this.root, hashOf(key), 0, key), this.size - 1);
  }

  *entries(): IterableIterator<[string, V]> {
    if (this.root !== undefined) yield* walk(this.root);
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  *keys(): IterableIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  /** Calls `visit(key, before, after)` for each key whose value differs from `earlier`'s; shared nodes are not looked at. */
  diff(earlier: PersistentMap<V>, visit: (key: string, before: V | undefined, after: V | undefined) => void): void {
    diffNodes(earlier.root, this.root, visit);
  }

  /** As an ordinary object without prototype, keys in code-unit order. */
  toObject(): Record<string, V> {
    const object = Object.create(null) as Record<string, V>;
    const entries = [...this.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, value] of entries) object[key] = value;
    return object;
  }
}

interface Leaf<V> {
  readonly hash: number;
  readonly key: string;
  readonly value: V;
}
interface Branch<V> {
  readonly bitmap: number;
  readonly children: readonly Node<V>[];
}
/** Keys whose 32-bit hashes are equal. */
interface Bucket<V> {
  readonly hash: number;
  readonly leaves: readonly Leaf<V>[];
}
type Node<V> = Leaf<V> | Branch<V> | Bucket<V>;

const isBranch = <V>(node: Node<V>): node is Branch<V> => 'bitmap' in node;
const isBucket = <V>(node: Node<V>): node is Bucket<V> => 'leaves' in node;

function hashOf(key: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

const slotOf = (hash: number, shift: number): number => (hash >>> shift) & 31;

function popCount(bits: number): number {
  let value = bits - ((bits >>> 1) & 0x55555555);
  value = (value & 0x33333333) + ((value >>> 2) & 0x33333333);
  return Math.imul((value + (value >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const indexOf = (bitmap: number, slot: number): number => popCount(bitmap & ((1 << slot) - 1));

function find<V>(start: Node<V>, hash: number, from: number, key: string): V | undefined {
  let node = start;
  for (let shift = from; ; shift += 5) {
    if (isBranch(node)) {
      const slot = slotOf(hash, shift);
      if ((node.bitmap & (1 << slot)) === 0) return undefined;
      node = node.children[indexOf(node.bitmap, slot)]!;
    } else if (isBucket(node)) {
      return node.leaves.find((leaf) => leaf.key === key)?.value;
    } else {
      return node.key === key ? node.value : undefined;
    }
  }
}

function insert<V>(node: Node<V>, leaf: Leaf<V>, shift: number): Node<V> {
  if (isBranch(node)) {
    const slot = slotOf(leaf.hash, shift);
    const index = indexOf(node.bitmap, slot);
    const children = node.children.slice();
    if ((node.bitmap & (1 << slot)) === 0) {
      children.splice(index, 0, leaf);
      return { bitmap: node.bitmap | (1 << slot), children };
    }
    children[index] = insert(children[index]!, leaf, shift + 5);
    return { bitmap: node.bitmap, children };
  }
  if (node.hash === leaf.hash) {
    if (isBucket(node)) return bucketOf([...node.leaves.filter(({ key }) => key !== leaf.key), leaf]);
    return node.key === leaf.key ? leaf : bucketOf([node, leaf]);
  }
  return fork(node, leaf, shift);
}

/** Leaves in key order, so that equal content has the equal shape whatever came first. Buckets are rare and tiny. */
function bucketOf<V>(leaves: readonly Leaf<V>[]): Bucket<V> {
  return { hash: leaves[0]!.hash, leaves: leaves.toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
}

function fork<V>(one: Leaf<V> | Bucket<V>, other: Leaf<V>, shift: number): Branch<V> {
  const [a, b] = [slotOf(one.hash, shift), slotOf(other.hash, shift)];
  if (a === b) return { bitmap: 1 << a, children: [fork(one, other, shift + 5)] };
  return { bitmap: (1 << a) | (1 << b), children: a < b ? [one, other] : [other, one] };
}

/** The key is present. */
function remove<V>(node: Node<V>, hash: number, shift: number, key: string): Node<V> | undefined {
  if (isBranch(node)) {
    const slot = slotOf(hash, shift);
    const index = indexOf(node.bitmap, slot);
    const child = remove(node.children[index]!, hash, shift + 5, key);
    const children = node.children.slice();
    if (child !== undefined) {
      if (children.length === 1 && !isBranch(child)) return child; // A lone leaf moves up: equal content, equal shape.
      children[index] = child;
      return { bitmap: node.bitmap, children };
    }
    if (children.length === 1) return undefined;
    children.splice(index, 1);
    const [only] = children;
    if (children.length === 1 && only !== undefined && !isBranch(only)) return only;
    return { bitmap: node.bitmap & ~(1 << slot), children };
  }
  if (!isBucket(node)) return undefined;
  const leaves = node.leaves.filter((leaf) => leaf.key !== key);
  return leaves.length === 1 ? leaves[0] : { hash, leaves };
}

function* walk<V>(node: Node<V>): IterableIterator<[string, V]> {
  if (isBranch(node)) for (const child of node.children) yield* walk(child);
  else if (isBucket(node)) for (const { key, value } of node.leaves) yield [key, value];
  else yield [node.key, node.value];
}

type Visit<V> = (key: string, before: V | undefined, after: V | undefined) => void;

function diffNodes<V>(before: Node<V> | undefined, after: Node<V> | undefined, visit: Visit<V>): void {
  if (before === after) return;
  if (before !== undefined && after !== undefined && isBranch(before) && isBranch(after)) {
    const slots = before.bitmap | after.bitmap;
    for (let slot = 0; slot < 32; slot++) {
      const bit = 1 << slot;
      if ((slots & bit) === 0) continue;
      diffNodes(childAt(before, slot), childAt(after, slot), visit);
    }
    return;
  }
  const earlier = new Map(before === undefined ? [] : walk(before));
  for (const [key, value] of after === undefined ? [] : walk(after)) {
    const old = earlier.get(key);
    earlier.delete(key);
    if (old !== value) visit(key, old, value);
  }
  for (const [key, value] of earlier) visit(key, value, undefined);
}

function childAt<V>(node: Branch<V>, slot: number): Node<V> | undefined {
  return (node.bitmap & (1 << slot)) === 0 ? undefined : node.children[indexOf(node.bitmap, slot)];
}
