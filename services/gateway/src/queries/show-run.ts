import { HISTORY_PAGE_MAX, storedEventView, type HistoryView, type Page, type RunView, type WaitView } from '@cairn/contracts';
import { stateView } from '@cairn/domain-run';
import type { Id, JsonObject, Revision } from '@cairn/kernel';
import { FIRST_BRANCH, type Clock } from '@cairn/ports';
import { beginParam, branchParam, countParam, placeParam, readQuery, type Query } from '../edge/params.js';
import { waitRowsOf } from '../readmodels/wait-row.js';
import type { RunReader } from './run-reader.js';
import { noBranch } from './whole-run.js';

export interface ShowRunParts {
  readonly reader: RunReader;
  readonly clock: Clock;
}

/** `GET runs/{id}`. */
export async function showRun({ reader, clock }: ShowRunParts, ns: string, run: Id): Promise<RunView> {
  return (await reader.row(ns, run)).view(clock.now());
}

/** `GET runs/{id}/state?at=b2@17`: the state as of a revision, folded from the history by the domain's own fold. */
export async function showState({ reader }: ShowRunParts, ns: string, run: Id, query: Query): Promise<JsonObject> {
  const { branch, at } = readQuery(query, ['branch', 'at']);
  const place = placeParam(branch, at);
  const whole = await reader.whole(ns, run);
  if (place.branch === undefined && place.revision === undefined) return stateView(whole.state);
  const named = place.branch ?? whole.head;
  return stateView(whole.stateAt(named, place.revision ?? Math.max(0, whole.eventsOf(named).length - 1)));
}

/**
 * `GET runs/{id}/history`: branch after branch, in the order in which they were announced, in pages of at most `HISTORY_PAGE_MAX` events
 * over all of them; `branch=` for one alone. `from=17` is of the first branch, or of the one named; `from=b2@17` of another.
 */
export async function showHistory({ reader }: ShowRunParts, ns: string, run: Id, query: Query): Promise<HistoryView> {
  const { branch, from: fromText, limit: limitText } = readQuery(query, ['branch', 'from', 'limit']);
  const only = branchParam(branch);
  const from = beginParam('from', fromText, only);
  const limit = countParam('limit', limitText, { min: 1, max: HISTORY_PAGE_MAX, otherwise: HISTORY_PAGE_MAX });
  const row = await reader.row(ns, run);
  const names = await reader.branchesOf(row);
  const first = names.indexOf(from.branch);
  if (first < 0) noBranch(from.branch, names);
  const shown: HistoryView['branches'][number][] = [];
  let left = limit;
  for (const name of only === undefined ? names.slice(first) : [only]) {
    const begin = name === from.branch ? from.revision : 0;
    if (left === 0) return { run, branches: shown, next: placeOf(name, begin) };
    // One more than asked for tells whether there is a next page.
    const read = await reader.read(row, name, begin, begin + left);
    shown.push({ branch: name, events: read.slice(0, left).map(storedEventView) });
    if (read.length > left) return { run, branches: shown, next: only === undefined ? placeOf(name, begin + left) : begin + left };
    left -= read.length;
  }
  return { run, branches: shown };
}

/** What `from=` takes: a plain number is of the first branch. */
const placeOf = (branch: string, revision: Revision): Revision | string => (branch === FIRST_BRANCH ? revision : `${branch}@${revision}`);

/** `GET runs/{id}/waits` of all branches, open and closed, in the order in which they opened. */
export async function showWaits({ reader }: ShowRunParts, ns: string, run: Id, query: Query): Promise<Page<WaitView>> {
  readQuery(query, []);
  const { events } = await reader.whole(ns, run);
  return { items: waitRowsOf(events).map((wait) => wait.view()) };
}
