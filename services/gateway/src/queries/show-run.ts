import { HISTORY_PAGE_MAX, storedEventView, type HistoryView, type Page, type RunView, type WaitView } from '@cairn/contracts';
import { decodeRunEvents, foldRun, initialState, stateView } from '@cairn/domain-run';
import type { Id, JsonObject } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import { branchParam, countParam, placeParam, readQuery, revisionParam, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import { waitRowsOf } from '../readmodels/wait-row.js';
import type { RunReader } from './run-reader.js';

export interface ShowRunParts {
  readonly reader: RunReader;
  readonly clock: Clock;
}

/** `GET runs/{id}`. */
export async function showRun({ reader, clock }: ShowRunParts, ns: string, run: Id): Promise<RunView> {
  return (await reader.row(ns, run)).view(clock.now());
}

/** `GET runs/{id}/state?at=main@17`: the state as of a revision, folded from the history by the domain's own fold. */
export async function showState({ reader }: ShowRunParts, ns: string, run: Id, query: Query): Promise<JsonObject> {
  const { branch, at } = readQuery(query, ['branch', 'at']);
  const place = placeParam(branch, at);
  const read = await reader.events(ns, run, place.branch, 0, place.revision);
  if (place.revision !== undefined && read.events.length <= place.revision)
    refuse('revision_not_found', 'The branch has no such revision yet.');
  return stateView(foldRun(initialState(run, read.branch), decodeRunEvents(read.events)));
}

/** `GET runs/{id}/history`, in pages of at most `HISTORY_PAGE_MAX` events. */
export async function showHistory({ reader }: ShowRunParts, ns: string, run: Id, query: Query): Promise<HistoryView> {
  const { branch, from: fromText, limit: limitText } = readQuery(query, ['branch', 'from', 'limit']);
  const from = revisionParam('from', fromText) ?? 0;
  const limit = countParam('limit', limitText, { min: 1, max: HISTORY_PAGE_MAX, otherwise: HISTORY_PAGE_MAX });
  // One more than asked for tells whether there is a next page.
  const read = await reader.events(ns, run, branchParam(branch), from, from + limit);
  const events = read.events.slice(0, limit).map(storedEventView);
  return { run, branches: [{ branch: read.branch, events }], ...(read.events.length > limit ? { next: from + limit } : {}) };
}

/** `GET runs/{id}/waits`, open and closed, in the order in which they opened. */
export async function showWaits({ reader }: ShowRunParts, ns: string, run: Id, query: Query): Promise<Page<WaitView>> {
  readQuery(query, []);
  const { events } = await reader.events(ns, run, undefined, 0);
  return { items: waitRowsOf(events).map((wait) => wait.view()) };
}
