import type { WhyView, WorkDesk } from '@cairn/contracts';
import { decodeRunEvents, foldRun, initialState } from '@cairn/domain-run';
import type { EventReceived } from '@cairn/domain-schedule';
import { receiptStream, type Id } from '@cairn/kernel';
import type { Clock, EventStore } from '@cairn/ports';
import { readQuery, type Query } from '../edge/params.js';
import type { ReadModels } from '../readmodels/read-models.js';
import type { NearMissFact, RunStored } from '../why/facts.js';
import { why } from '../why/why.js';
import type { RunReader } from './run-reader.js';

export interface ShowWhyParts {
  readonly reader: RunReader;
  readonly clock: Clock;
  readonly desk: WorkDesk;
  readonly store: EventStore;
  readonly models: ReadModels;
}

/** `GET runs/{id}/why`: from the run's history as it is now, and from who is connected to this server. */
export async function showWhy(parts: ShowWhyParts, ns: string, run: Id, query: Query): Promise<WhyView> {
  const { reader, clock, desk } = parts;
  readQuery(query, []);
  const { branch, events } = await reader.events(ns, run, undefined, 0);
  const recorded = decodeRunEvents(events);
  return why({
    ns,
    state: foldRun(initialState(run, branch), recorded),
    events: recorded as unknown as readonly RunStored[],
    now: clock.now(),
    queue: (name) => desk.queue(ns, name),
    holder: (attemptId) => desk.holder(attemptId),
    nearMisses: await nearMissesOf(parts, run),
  });
}

/** What nearly woke the run of late, as far as this server saw it, with what the receipts say of each event. */
async function nearMissesOf({ store, models }: ShowWhyParts, run: Id): Promise<NearMissFact[]> {
  const facts: NearMissFact[] = [];
  for (const { receiptId, ...miss } of models.nearMisses.of(run)) {
    const [received] = await store.read(receiptStream(receiptId), 0, 0);
    if (received?.type !== 'EventReceived') continue;
    const { type, source } = received.data as unknown as EventReceived['data'];
    facts.push({ ...miss, type, source });
  }
  return facts;
}
