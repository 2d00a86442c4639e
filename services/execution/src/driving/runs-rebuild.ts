import { canonicalLines, compareFolds, inParallel, type FoldReport, type Generations, type Rebuildable } from '@cairn/application';
import { serializeState, type RunState } from '@cairn/domain-run';
import type { Id } from '@cairn/kernel';
import { FIRST_BRANCH, type Clock } from '@cairn/ports';
import type { LoadedRun, RunLoader } from './run-loader.js';

export interface RunsRebuildParts {
  readonly clock: Clock;
  readonly cache: Generations<Id, LoadedRun>;
  readonly loader: RunLoader;
  /** Runs with open attempts: what a restart loads first, and with it their snapshots. */
  readonly open: () => Iterable<Id>;
}

/** What one memory of a run says, and what the run's history says at the same revision. */
interface Remembered {
  readonly kind: 'cached' | 'snapshot';
  readonly runId: Id;
  /** Of the cache. */
  readonly key: string;
  readonly state: RunState;
  readonly lastHash: string;
}

type Line = readonly [kind: string, key: string, value: unknown];

const MS_PER_S = 1_000;

/**
 * Runs as execution remembers them: the states in its cache, and snapshots that were put away. Each is folded again from its stream's
 * first event to the revision that is remembered; what differs is forgotten, and a right snapshot takes the place of a wrong one.
 */
export class RunsRebuild implements Rebuildable {
  readonly fold = 'runs and snapshots';

  constructor(private readonly parts: RunsRebuildParts) {}

  async rebuild(): Promise<FoldReport> {
    const begun = this.parts.clock.monotonicMs();
    const seconds = (): number => (this.parts.clock.monotonicMs() - begun) / MS_PER_S;
    const [live, anew]: [Line[], Line[]] = [[], []];
    let events = 0;
    try {
      await inParallel(await this.remembered(), async (one) => {
        const { state, lastHash } = await this.parts.loader.stateAt(one.runId, one.state);
        events += state.revision + 1;
        const [had, says] = [lineOf(one), lineOf({ ...one, state, lastHash })];
        live.push(had);
        anew.push(says);
        if (canonicalLines([had])[0] !== canonicalLines([says])[0]) await this.mend(one, { state, lastHash });
      });
      return { fold: this.fold, events, seconds: seconds(), ...compareFolds(canonicalLines(live), canonicalLines(anew)) };
    } catch (fault) {
      const problem = fault instanceof Error ? fault.message : 'unknown';
      return { fold: this.fold, events, seconds: seconds(), before: '', after: '', equal: false, differences: [], problem };
    }
  }

  private async remembered(): Promise<readonly Remembered[]> {
    const { cache, loader, open } = this.parts;
    const all: Remembered[] = [];
    const snapshots = new Set([...open()].map((runId) => pointKey(runId, FIRST_BRANCH)));
    for (const [runId, { branch }] of loader.withSnapshot()) snapshots.add(pointKey(runId, branch));
    for (const [key, { state, lastHash }] of cache.entries()) {
      const { runId } = state;
      snapshots.add(pointKey(runId, state.branch));
      all.push({ kind: 'cached', key, runId, state, lastHash });
    }
    await inParallel([...snapshots], async (key) => {
      const [runId = '', branch = ''] = key.split('+');
      const snapshot = await loader.snapshotOf(runId, branch);
      if (snapshot !== undefined) all.push({ kind: 'snapshot', key: snapshot.state.shadow === null ? runId : key, runId, ...snapshot });
    });
    return all;
  }

  private async mend({ kind, key }: Remembered, right: { readonly state: RunState; readonly lastHash: string }): Promise<void> {
    const { cache, loader } = this.parts;
    cache.delete(key); // Also where a snapshot is wrong: it may be what the cache was loaded from.
    if (kind === 'snapshot') await loader.putAway(right);
  }
}

const pointKey = (runId: Id, branch: string): string => `${runId}+${branch}`;

function lineOf({ kind, runId, state, lastHash }: Remembered): Line {
  const plain = JSON.parse(serializeState(state)) as { path: Record<string, unknown>; ledger: Record<string, unknown> };
  return [kind, `${runId}+${state.branch}@${state.revision}`, { ...plain, lastHash }];
}
