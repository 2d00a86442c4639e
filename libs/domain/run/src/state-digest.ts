import { canon, type Json, PersistentMap, sha256Hex } from '@cairn/kernel';
import type { ArtifactRef } from './shared-fields.js';
import type { Digested, Ledger, Path, RunState, StepOutput } from './state.js';

/**
 * Digest version 1 (`history.md` §2; storage format: a later release still computes it).
 * Per slice the sum modulo 2^256 of sha256(canon([key, value])) over its entries, then sha256 of canon([[slice, hex sum], …]) by name.
 * Incremental: slices are persistent maps, so only the entries that differ from the last checkpoint's are hashed, and a checkpoint
 * of a 5,000-step run costs what one of a 50-step run costs.
 */
export function stateDigest(state: RunState): string {
  const sums = slices.map(({ name, sum }) => [name, sum(state).toString(16).padStart(64, '0')]);
  return sha256Hex(canon(sums));
}

interface Slice {
  readonly name: string;
  readonly sum: (state: RunState) => bigint;
}

const MODULUS = 1n << 256n;
const contribution = (key: string | readonly string[], value: Json): bigint => BigInt(`0x${sha256Hex(canon([key, value]))}`);

/** Sums of maps that were digested before: keyed by identity, so they cost no memory once a map is gone. */
const sumsOfMaps = new WeakMap<object, bigint>();

type KeyView = (key: string) => string | readonly string[];
const plainKey: KeyView = (key) => key;
/** Keys that are canonical lists in memory are lists in the digest too. */
const listKey: KeyView = (key) => JSON.parse(key) as string[];

function mapSlice<V>(
  name: string,
  pick: (of: Digested) => PersistentMap<V>,
  view: (value: V) => Json | undefined,
  keyView: KeyView = plainKey,
): Slice {
  const term = (key: string, value: V | undefined): bigint => {
    const seen = value === undefined ? undefined : view(value);
    return seen === undefined ? 0n : contribution(keyView(key), seen);
  };
  const sum = (state: RunState): bigint => {
    const map = pick(state);
    const known = sumsOfMaps.get(map);
    if (known !== undefined) return known;
    const base = state.digested === null ? undefined : pick(state.digested);
    const baseSum = base === undefined ? undefined : sumsOfMaps.get(base);
    let total = baseSum ?? 0n;
    if (base !== undefined && baseSum !== undefined) {
      map.diff(base, (key, before, after) => {
        total += term(key, after) - term(key, before);
      });
    } else {
      for (const [key, value] of map.entries()) total += term(key, value);
    }
    const reduced = ((total % MODULUS) + MODULUS) % MODULUS;
    sumsOfMaps.set(map, reduced);
    return reduced;
  };
  return { name, sum };
}

const objectSlice = (name: string, entries: (state: RunState) => readonly (readonly [string, Json])[]): Slice => ({
  name,
  sum: (state) => entries(state).reduce((total, [key, value]) => total + contribution(key, value), 0n) % MODULUS,
});

/** Slices of kinds that do not run yet are empty: their sum is 0. */
const emptySlice = (name: string): Slice => ({ name, sum: () => 0n });

/** sha256 of a step output's canonical JSON: for an artifact the digest it is stored under. */
export function outputDigest(output: StepOutput | null): string | null {
  if (output === null) return null;
  return 'value' in output ? sha256Hex(canon(output.value)) : artifactHex(output.ref);
}

export const artifactHex = (ref: ArtifactRef): string => ref.artifact.slice('sha256:'.length);

export const pathRun = (state: RunState): readonly (readonly [string, Json])[] =>
  state.started === null
    ? []
    : [
        ['goal', state.started.goal],
        ['input', state.started.input],
        ['paused', state.path.paused],
      ];

const slices: readonly Slice[] = [
  mapSlice(
    'ledger.branches',
    ({ ledger }) => ledger.branches,
    ({ ended, epoch, head }) => ({ ended, epoch, head }),
  ),
  mapSlice(
    'ledger.effects',
    ({ ledger }) => ledger.effects,
    ({ fingerprint, result, status, suffix }) => ({ fingerprint, result, status, suffix }),
  ),
  mapSlice(
    'ledger.late',
    ({ ledger }) => ledger.late,
    () => true,
    listKey,
  ),
  emptySlice('ledger.notifications'),
  mapSlice(
    'ledger.spend',
    ({ ledger }) => ledger.spend,
    ({ attempts, tokensIn, tokensOut, usd }) => ({ attempts, tokens: tokensIn + tokensOut, usd }),
  ),
  mapSlice(
    'ledger.used',
    ({ ledger }) => ledger.used,
    () => true,
    listKey,
  ),
  emptySlice('path.assumptions'),
  mapSlice(
    'path.attempts',
    ({ path }) => path.attempts,
    ({ n, step, taken }) => ({ n, step, taken }),
  ),
  mapSlice(
    'path.carried',
    ({ path }) => path.carried,
    () => true,
  ),
  mapSlice(
    'path.checkpoints',
    ({ path }) => path.checkpoints,
    (kind) => kind,
  ),
  emptySlice('path.plans'),
  mapSlice(
    'path.retries',
    ({ path }) => path.retries,
    ({ decision, notBefore }) => (decision === null ? undefined : { decision, notBefore }),
  ),
  mapSlice(
    'path.reviews',
    ({ path }) => path.reviews,
    ({ status, step, subjectDigest }) => ({ status, step, subjectDigest }),
  ),
  objectSlice('path.run', pathRun),
  mapSlice(
    'path.scope',
    ({ path }) => path.scope,
    () => true,
  ),
  mapSlice(
    'path.steps',
    ({ path }) => path.steps,
    ({ attempts, output, status }) => ({ attempts, output: outputDigest(output), status }),
  ),
  mapSlice(
    'path.waits',
    ({ path }) => path.waits,
    ({ got, open, step }) => ({ got: got.map(({ eventId }) => eventId), open, step }),
  ),
];

/** For tests of the law itself: forgets nothing, computes every sum anew. */
export function stateDigestFromScratch(state: { readonly path: Path; readonly ledger: Ledger } & RunState): string {
  const copy: RunState = { ...state, digested: null, path: recreated(state.path), ledger: recreated(state.ledger) };
  return stateDigest(copy);
}

/** The same entries in maps that no memo knows. */
function recreated<T extends object>(half: T): T {
  const copy: Record<string, unknown> = { ...(half as Record<string, unknown>) };
  for (const [name, value] of Object.entries(half)) {
    if (value instanceof PersistentMap) {
      const map = value as PersistentMap<unknown>;
      let fresh = map;
      for (const key of map.keys()) fresh = fresh.delete(key);
      for (const [key, entry] of map.entries()) fresh = fresh.set(key, entry);
      copy[name] = map.size === 0 ? map : fresh;
    }
  }
  return copy as unknown as T;
}
