// Goal: a PersistentMap is a Map whose every version stays what it was, and `diff` names exactly what differs.
// Method: random edits beside a Map, over few keys (so that edits meet) among which some have equal 32-bit hashes.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PersistentMap } from './persistent-map.js';

/** Pairs with equal FNV-1a-32 hashes, and so with one bucket. */
const colliding = ['costarring', 'liquid', 'declinate', 'macallums', 'altarage', 'zinke'];
const key = fc.oneof(fc.constantFrom(...colliding), fc.integer({ min: 0, max: 60 }).map(String), fc.string({ maxLength: 3 }));
const edit = fc.oneof(
  { weight: 3, arbitrary: fc.record({ set: fc.constant(true), key, value: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ set: fc.constant(false), key, value: fc.constant(0) }) },
);
type Edit = { set: boolean; key: string; value: number };
const edits = fc.array(edit, { maxLength: 80, size: 'max' });

function apply(map: PersistentMap<number>, list: readonly Edit[]): PersistentMap<number> {
  return list.reduce((now, { set, key: name, value }) => (set ? now.set(name, value) : now.delete(name)), map);
}

function applyToModel(before: ReadonlyMap<string, number>, list: readonly Edit[]): Map<string, number> {
  const model = new Map(before);
  for (const { set, key: name, value } of list) {
    if (set) model.set(name, value);
    else model.delete(name);
  }
  return model;
}

const sorted = (entries: Iterable<readonly [string, number]>): (readonly [string, number])[] =>
  [...entries].sort(([a], [b]) => (a < b ? -1 : 1));

describe('PersistentMap', () => {
  it('holds what a Map holds after the same edits', () => {
    fc.assert(
      fc.property(edits, key, (list, other) => {
        const [map, model] = [apply(PersistentMap.empty(), list), applyToModel(new Map(), list)];
        expect(sorted(map.entries())).toEqual(sorted(model));
        expect(map.size).toBe(model.size);
        for (const name of [other, ...model.keys()]) {
          expect(map.get(name)).toBe(model.get(name));
          expect(map.has(name)).toBe(model.has(name));
        }
        expect([...map.keys()].sort()).toEqual([...model.keys()].sort());
        expect([...map.values()].sort((a, b) => a - b)).toEqual([...model.values()].sort((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it('never changes: the earlier version reads the same after later edits', () => {
    fc.assert(
      fc.property(edits, edits, (first, second) => {
        const earlier = apply(PersistentMap.empty<number>(), first);
        const before = [...earlier.entries()];
        apply(earlier, second);
        expect([...earlier.entries()]).toEqual(before);
      }),
    );
  });

  it('gives equal content the equal order of iteration, whatever its past', () => {
    fc.assert(
      fc.property(edits, (list) => {
        const lived = apply(PersistentMap.empty<number>(), list);
        const fresh = PersistentMap.of(sorted(lived.entries()).reverse());
        expect([...lived.entries()]).toEqual([...fresh.entries()]);
      }),
      { numRuns: 200 },
    );
  });

  it('tells exactly what differs, each key once, between versions of one ancestry and between strangers', () => {
    fc.assert(
      fc.property(edits, edits, edits, (common, mine, yours) => {
        const base = apply(PersistentMap.empty<number>(), common);
        const [before, after] = [apply(base, mine), apply(base, yours)];
        for (const [from, to] of [
          [before, after],
          [base, after],
          [after, base],
          [PersistentMap.of(before.entries()), after],
        ] as const) {
          const seen = new Map<string, readonly [number | undefined, number | undefined]>();
          to.diff(from, (name, was, is) => {
            expect(seen.has(name)).toBe(false);
            seen.set(name, [was, is]);
          });
          const names = new Set([...from.keys(), ...to.keys()]);
          const expected = [...names]
            .filter((name) => from.get(name) !== to.get(name))
            .map((name) => [name, [from.get(name), to.get(name)]] as const);
          expect(new Map(expected)).toEqual(seen);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is itself when nothing changes', () => {
    const map = PersistentMap.of([['a', 1]]);
    expect(map.set('a', 1)).toBe(map);
    expect(map.delete('b')).toBe(map);
    expect(map.delete('a')).toBe(PersistentMap.empty());
  });

  it('compares 20,000 entries with one edit by looking at what differs, not at the whole', () => {
    let reads = 0;
    const counted = (value: number): { readonly value: number } => ({
      get value() {
        reads += 1;
        return value;
      },
    });
    const map = PersistentMap.of(Array.from({ length: 20_000 }, (_, i) => [`step-${i}`, counted(i)] as const));
    const edited = map.set('step-77', counted(-1)).set('new', counted(-2)).delete('step-9');
    const seen: string[] = [];
    edited.diff(map, (name, was, is) => seen.push(`${name} ${was?.value} ${is?.value}`));
    expect(seen.sort()).toEqual(['new undefined -2', 'step-77 77 -1', 'step-9 9 undefined']);
    expect(reads).toBe(4);
  });

  it('shows its content as a plain object in key order', () => {
    const object = PersistentMap.of([
      ['b', 2],
      ['__proto__', 3],
      ['a', 1],
    ]).toObject();
    expect(Object.keys(object)).toEqual(['__proto__', 'a', 'b']);
    expect(Object.getPrototypeOf(object)).toBeNull();
  });
});
