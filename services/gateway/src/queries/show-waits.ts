import type { Page, WaitView } from '@cairn/contracts';
import { isEventType, type Id } from '@cairn/kernel';
import { invalidParameter, limitParam, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { ReadModels } from '../readmodels/read-models.js';
import { waitRowsOf } from '../readmodels/wait-row.js';
import type { RunReader } from './run-reader.js';

/** `GET waits?state=open&type=`: what the runs of a namespace wait for, oldest first. */
export function listWaits(models: ReadModels, ns: string, query: Query): Page<WaitView> {
  const { state = 'open', type, limit: limitText } = readQuery(query, ['state', 'type', 'limit']);
  if (state !== 'open') invalidParameter('state', 'must be open; closed waits stand in the history of their run');
  if (type !== undefined && !isEventType(type)) invalidParameter('type', 'must be an event type or a kind of trigger');
  const limit = limitParam(limitText);
  const items: WaitView[] = [];
  for (const wait of models.openWaits()) {
    if (items.length === limit) break;
    if (wait.ns === ns && (type === undefined || wait.wants(type))) items.push(wait.view());
  }
  return { items };
}

/** `GET waits/{id}`, open or closed, from its run's history. */
export async function showWait(models: ReadModels, reader: RunReader, ns: string, wait: Id): Promise<WaitView> {
  const run = models.runOf(wait);
  if (run === undefined) return refuse('wait_not_found', 'There is no such wait in this namespace.');
  const { events } = await reader.whole(ns, run);
  const found = waitRowsOf(events).find(({ id }) => id === wait);
  return found?.view() ?? refuse('wait_not_found', 'There is no such wait in this namespace.');
}
