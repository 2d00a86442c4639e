import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findNatsServer, notRun, waitUntil } from '@cairn/testkit';
import { Cluster, type ClusterOptions } from './cluster.js';
import { EventStoreDb } from './event-store-db.js';
import { Load } from './load.js';
import { Histories } from './oracle.js';

/** On a machine that is busy with others: how many times longer a case is waited for. What a promise says in seconds stays as it is. */
const SLOWER = Number(process.env['CAIRN_CHAOS_SLOWER'] ?? 1);
export const patient = (ms: number): number => ms * SLOWER;

/** How long what was healed may take to come to rest (`reliability.md` §3.1). */
export const SETTLE_MS = patient(60_000);
/** A run may end before its last receipt says so: what was lost of that is told by the sweeps. */
const RECEIPTS_MS = patient(15_000);
/** Runs that are under way when something is broken, at least. */
export const RUNS = 50;
/** A case: load, fault, healing, rest, oracle. On two cores that others use too. */
const CASE_MS = patient(240_000);

/** Whether every case is run (`npm run chaos`), or of each suite the part that fits into `npm test`. */
export const isWhole = process.env['CAIRN_CHAOS'] === 'whole';

/** What a case works with. */
export interface World {
  cluster: Cluster;
  load: Load;
  histories: Histories;
  /** From 0 to below 1, from the seed. */
  random: () => number;
}

export interface SuiteOptions extends Omit<ClusterOptions, 'nats' | 'eventStoreDb'> {
  /** The histories are in an EventStoreDB, the one that is named or the stand-in. */
  readonly eventStoreDb?: true;
  /** Cases in `npm test`, chosen by the seed. Default: all. */
  readonly part?: number;
}

interface Case {
  readonly name: string;
  readonly body: (world: World) => Promise<void>;
  readonly limitMs: number;
}
export type AddCase = (name: string, body: (world: World) => Promise<void>, limitMs?: number) => void;

/**
 * A suite of cases on one cluster, each told as a test. When its body is done, all runs must come to rest within a minute, and the oracle is
 * asked about every run since the last case (`reliability.md` §2, E-1, E-2). The seed that is printed chooses the same cases again.
 * Without a nats-server the suite is named as not run.
 */
export function withCluster(suite: string, { part, eventStoreDb, ...options }: SuiteOptions, cases: (add: AddCase) => void): void {
  describe(`chaos: ${suite}`, () => {
    const found = findNatsServer();
    if ('missing' in found) {
      it('on the stack', () => notRun(`chaos: ${suite}`, found.missing));
      return;
    }
    const seed = Number(process.env['CAIRN_CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000));
    const random = mulberry(seed);
    const world = { random } as World;
    let db: EventStoreDb | undefined;
    beforeAll(async () => {
      process.stdout.write(`chaos: ${suite}: CAIRN_CHAOS_SEED=${seed}\n`);
      if (eventStoreDb === true) db = await EventStoreDb.start();
      world.cluster = await Cluster.start({ ...options, nats: found.path, ...(db === undefined ? {} : { eventStoreDb: db }) });
      world.histories = await Histories.open(world.cluster.stack.data, db?.url);
      world.load = new Load(world.cluster, world.histories, seed);
      await world.load.prepare();
    }, CASE_MS);
    afterAll(async () => {
      world.load?.stop();
      await world.histories?.close();
      await world.cluster?.dispose();
      await db?.dispose();
    }, CASE_MS);
    const all: Case[] = [];
    cases((name, body, limitMs = CASE_MS) => all.push({ name, body, limitMs }));
    for (const { name, body, limitMs } of isWhole || part === undefined ? all : sample(all, part, random))
      it(name, () => judged(name, body, world), limitMs);
  });
}

async function judged(name: string, body: Case['body'], world: World): Promise<void> {
  try {
    await body(world);
    await verdict(world);
  } catch (error) {
    const story = await storyOf(world).catch((fault: unknown) => `no story: ${String(fault)}`); // The store may still be away.
    process.stderr.write(`${name}: ${String(error).slice(0, 2_000)}\n${world.cluster.complaints()}\n${story}\n`);
    throw error;
  }
}

/** So many of them, by chance, in their order. */
function sample<T>(list: readonly T[], n: number, random: () => number): readonly T[] {
  const byChance = list.map((item, place) => ({ item, place, chance: random() })).sort((a, b) => a.chance - b.chance);
  const chosen = byChance.slice(0, n).sort((a, b) => a.place - b.place);
  return chosen.map(({ item }) => item);
}

/** Rest, and what the oracle says of it. */
async function verdict({ load, histories, cluster }: World): Promise<void> {
  await load.settled(SETTLE_MS);
  const runs = load.takeUnjudged();
  expect(load.wrongEnds(runs)).toEqual([]);
  const violations = (): Promise<readonly string[]> => histories.violations(runs.values(), 'quiescent');
  const isQuiet = async (): Promise<boolean> => (await violations()).length === 0;
  await waitUntil('receipts say what became of their events', isQuiet, RECEIPTS_MS).catch(() => undefined);
  expect(await violations()).toEqual([]);
  expect(await histories.effectFaults(runs.values(), cluster.effects.ledger)).toEqual([]);
}

/** What became of the first run that is still open. */
async function storyOf({ load, histories }: World): Promise<string> {
  const runId = load.accepted.get(load.open[0] ?? '');
  if (runId === undefined) return 'no run is open';
  const events = await histories.of(runId);
  return [runId, ...events.map(({ type, at, data }) => `  ${at} ${type} ${JSON.stringify(data).slice(0, 200)}`)].join('\n');
}

/** Tommy Ettinger's mulberry32: enough chance for a test, and repeatable. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
