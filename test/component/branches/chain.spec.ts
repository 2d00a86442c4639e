// Issue 7, C-BRANCH, C-COMPARE, P-7: one run comes to five branches, a policy's, a person's, a shadow, one that is promoted and one of an ended
// run. On each store it is the same history; it folds to the same state from the beginning and from snapshots; nothing of what a branch grew
// from is changed; and a reader sees in the tree what was the original path, why it failed, and what was changed.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeRunEvents, foldRun, Lineage, serializeState, type BranchOpened, type RunState } from '@cairn/domain-run';
import { openEsdb } from '@cairn/event-store-esdb';
import { openLibsqlEventStore } from '@cairn/event-store-libsql';
import { createMemoryEventStore } from '@cairn/event-store-memory';
import { canon, type Json } from '@cairn/kernel';
import { collectHistory, defaultLimits, verifyRun } from '@cairn/oracle';
import { readBranches, type EventStore } from '@cairn/ports';
import { systemClock, systemRandomness } from '@cairn/system';
import { EsdbStandIn } from '@cairn/testkit';
import { branchDiffText } from '../../../services/cli/src/branch-diff-text.js';
import { branchTree } from '../../../services/cli/src/branch-tree.js';
import { Paint } from '../../../services/cli/src/paint.js';
import { branchesOf } from '../../../services/gateway/src/branches/branches.js';
import { diffOf } from '../../../services/gateway/src/branches/diff.js';
import { WholeRun } from '../../../services/gateway/src/queries/whole-run.js';
import { RunRow } from '../../../services/gateway/src/readmodels/run-row.js';
import { ChainRun, RUN, storedBytes } from './chain-run.js';

const BRANCHES = ['main', 'b2', 'b3', 'b4', 'b5', 'b6'];
/** A state as bytes that tell nothing of who has built its objects. */
const stateText = (state: RunState): string => canon(JSON.parse(serializeState(state)) as Json);
const paint = new Paint({ tty: false, env: {} });

const stores: readonly { readonly name: string; open(folder: string): Promise<{ readonly store: EventStore; close(): Promise<void> }> }[] =
  [
    {
      name: 'memory',
      open: () => Promise.resolve({ store: createMemoryEventStore(), close: () => Promise.resolve() }),
    },
    {
      name: 'libSQL',
      open: async (folder) => {
        const store = await openLibsqlEventStore({ file: join(folder, 'events.db') });
        return { store, close: () => store.close() };
      },
    },
    {
      name: "EventStoreDB's protocol",
      open: async () => {
        const server = await EsdbStandIn.start();
        const esdb = await openEsdb({ url: server.url, clock: systemClock, randomness: systemRandomness });
        const close = async (): Promise<void> => {
          await esdb.close();
          await server.kill();
        };
        return { store: esdb.store, close };
      },
    },
  ];

/** What was stored where the chain was played first: wherever else it is played, it is that. */
let first: readonly string[] | undefined;

describe.each(stores)('a chain of five branches on $name', ({ open }) => {
  let folder: string;
  let opened: Awaited<ReturnType<typeof open>>;
  let chain: ChainRun;
  let store: EventStore;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-chain-'));
    opened = await open(folder);
    store = opened.store;
    chain = new ChainRun(store);
    await chain.play();
  });
  afterAll(async () => {
    await opened.close();
    await rm(folder, { recursive: true });
  });

  const whole = async (): Promise<WholeRun> => {
    const branches = await readBranches(store, RUN);
    const row = new RunRow(RUN);
    for (const events of branches.values()) for (const event of events) row.apply(event);
    return new WholeRun(row, branches);
  };

  it('is the same history wherever it is stored', async () => {
    const stored = await storedBytes(store);
    first ??= stored;
    expect(stored).toEqual(first);
    expect([...(await readBranches(store, RUN)).keys()]).toEqual(BRANCHES);
  });

  it('has one of each: who opened it, why, and whether it acts', async () => {
    const views = branchesOf(await whole()).branches;
    expect(views.slice(1).map(({ branch, shadow, opened: by, outcome }) => [branch, by?.actor, by?.cause, shadow, outcome])).toEqual([
      ['b2', 'policy:default@1', 'fallback', false, 'superseded'],
      ['b3', 'user:ana', 'correction', false, 'superseded'],
      ['b4', 'user:ana', 'what_if', true, 'succeeded'],
      ['b5', 'user:ana', 'correction', false, 'succeeded'],
      ['b6', 'user:ana', 'retry_modified', false, 'succeeded'],
    ]);
    expect(views.filter(({ head }) => head).map(({ branch }) => branch)).toEqual(['b6']);
  });

  it('folds to the same state from the beginning, from snapshots, and as it is driven', async () => {
    const stored = await readBranches(store, RUN);
    const decoded = new Map([...stored].map(([name, events]) => [name, decodeRunEvents(events)]));
    const lineage = new Lineage(RUN, decoded);
    let snapshots = 0;
    for (const [branch, events] of stored) {
      const fromBeginning = stateText(lineage.at(branch));
      for (const cold of [true, false]) {
        const loader = chain.loader(cold);
        const loaded = branch === 'b4' ? await loader.shadow(RUN, branch) : branch === 'b6' ? await loader.load(RUN) : undefined;
        if (loaded !== undefined) expect(stateText(loaded.state)).toBe(fromBeginning);
        expect(stateText((await loader.stateAt(RUN, { branch, revision: events.length - 1 })).state)).toBe(fromBeginning);
      }
      const snapshot = await chain.loader().snapshotOf(RUN, branch);
      if (snapshot === undefined) continue;
      snapshots += 1;
      const rest = (decoded.get(branch) ?? []).filter(({ revision }) => revision > snapshot.state.revision);
      expect(stateText(foldRun(snapshot.state, rest))).toBe(fromBeginning);
    }
    expect(snapshots).toBe(BRANCHES.length - 1); // One is put away at each opening.
  });

  it('leaves everything that stood before a branch as it was, and roots each in the hash of its parent (I-6, I-7)', async () => {
    const stored = await readBranches(store, RUN);
    const hashesOf = (branch: string): string[] => (stored.get(branch) ?? []).map(({ metadata }) => metadata.hash);
    expect(chain.prefixes.length).toBeGreaterThan(BRANCHES.length);
    for (const { branch, hashes } of chain.prefixes) expect(hashesOf(branch).slice(0, hashes.length)).toEqual(hashes);
    for (const branch of BRANCHES.slice(1)) {
      const [opening] = stored.get(branch) ?? [];
      const { parent } = opening?.data as unknown as BranchOpened['data'];
      expect(opening?.metadata.prevHash).toBe(hashesOf(parent.branch)[parent.revision]);
    }
  });

  it('breaks no invariant, and books once', async () => {
    const { inbox: _, reviews: __, policies: ___, ...history } = (await collectHistory(store, RUN))!;
    expect(verifyRun(history, defaultLimits, 'quiescent')).toEqual([]);
    const types = [...history.branches.values()].flat().map(({ type }) => type);
    expect(types.filter((type) => type === 'EffectIntended')).toHaveLength(1);
    expect(types.filter((type) => type === 'EffectConfirmed')).toHaveLength(1);
  });

  it('has no difference between a branch and itself', async () => {
    const run = await whole();
    for (const branch of BRANCHES) expect(diffOf(run, branch, branch)).toMatchObject({ changes: [], steps: [], effects: [] });
  });

  it.each([
    ['tree.txt', async () => branchTree(branchesOf(await whole()), paint)],
    ['diff-main-b2.txt', async () => branchDiffText(diffOf(await whole(), 'main', 'b2'), paint)],
    ['diff-b2-b3.txt', async () => branchDiffText(diffOf(await whole(), 'b2', 'b3'), paint)],
    ['diff-b3-b4.txt', async () => branchDiffText(diffOf(await whole(), 'b3', 'b4'), paint)],
    ['diff-b5-b6.txt', async () => branchDiffText(diffOf(await whole(), 'b5', 'b6'), paint)],
    ['diff-main-b6.txt', async () => branchDiffText(diffOf(await whole(), 'main', 'b6'), paint)],
    ['diff-b6-b6.txt', async () => branchDiffText(diffOf(await whole(), 'b6', 'b6'), paint)],
  ] as const)('is shown as %s has it', async (file, show) => {
    const golden = fileURLToPath(new URL(`golden/${file}`, import.meta.url));
    const shown = await show();
    if (process.env['CAIRN_WRITE_GOLDEN'] === '1') await writeFile(golden, shown);
    expect(shown).toBe(await readFile(golden, 'utf8'));
  });
});
