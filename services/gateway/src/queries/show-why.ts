import type { QueueView, WhyView, WorkDesk } from '@cairn/contracts';
import type { RunState } from '@cairn/domain-run';
import type { EventReceived } from '@cairn/domain-schedule';
import { receiptStream, type Id } from '@cairn/kernel';
import { isFault, type Clock, type EventStore } from '@cairn/ports';
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
  const whole = await reader.whole(ns, run);
  const { imported } = whole.row;
  const { state } = whole;
  if (imported !== undefined && state.end === null) return ofImported(state);
  const { holders, queues } = await connected(desk, ns, state);
  return why({
    ns,
    state,
    events: whole.events as readonly RunStored[],
    now: clock.now(),
    queue: (name) => queues.get(name),
    holder: (attemptId) => holders.get(attemptId),
    nearMisses: await nearMissesOf(parts, run),
  });
}

/** Whoever had the ball has it elsewhere: nothing that is connected here, and nothing that is done here, moves an imported run. */
function ofImported({ runId, status }: RunState): WhyView {
  const says = 'The run was imported from another store: it is shown as it was there, and nothing moves it here.';
  const next = `npx cairn run history ${runId}`;
  const { state, sub, since } = status;
  return {
    run: runId,
    state,
    ...(sub === null ? {} : { sub }),
    since: since ?? '',
    says,
    next,
    because: [{ kind: 'imported', says, next }],
  };
}

/** Who has the open attempts, and who serves their queues: what execution knows and the history does not. Nothing while it is away. */
async function connected(desk: WorkDesk, ns: string, { path }: RunState) {
  const holders = new Map<Id, string | undefined>();
  const queues = new Map<string, QueueView>();
  const ask = async (attemptId: Id, queue: string): Promise<void> => {
    try {
      const [holder, view] = await Promise.all([desk.holder(attemptId), desk.queue(ns, queue)]);
      holders.set(attemptId, holder);
      queues.set(queue, view);
    } catch (error) {
      if (!isFault(error)) throw error;
    }
  };
  await Promise.all([...path.attempts.entries()].map(([attemptId, { step }]) => ask(attemptId, path.steps.get(step)?.work?.queue ?? '')));
  return { holders, queues };
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
