import type { QueueView, WhyView, WorkDesk } from '@cairn/contracts';
import type { RunState } from '@cairn/domain-run';
import type { EventReceived } from '@cairn/domain-schedule';
import { isId, receiptStream, type Id, type Json } from '@cairn/kernel';
import { isFault, type Artifacts, type Clock, type EventStore } from '@cairn/ports';
import { invalidParameter, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { ReadModels } from '../readmodels/read-models.js';
import type { NearMissFact, RunStored, WhyFacts } from '../why/facts.js';
import { whyNot, type LookedAt } from '../why/not.js';
import { why } from '../why/why.js';
import type { RunReader } from './run-reader.js';

export interface ShowWhyParts {
  readonly reader: RunReader;
  readonly clock: Clock;
  readonly desk: WorkDesk;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly models: ReadModels;
}

/** `GET runs/{id}/why`: from the run's history as it is now, and from who is connected to this server. */
export async function showWhy(parts: ShowWhyParts, ns: string, run: Id, query: Query): Promise<WhyView> {
  const { reader, clock, desk } = parts;
  const { not } = readQuery(query, ['not']);
  const whole = await reader.whole(ns, run);
  const { imported } = whole.row;
  const { state } = whole;
  if (imported !== undefined && state.end === null) return ofImported(state);
  const { holders, queues } = await connected(desk, ns, state);
  const facts: WhyFacts = {
    ns,
    state,
    events: whole.events as readonly RunStored[],
    now: clock.now(),
    queue: (name) => queues.get(name),
    holder: (attemptId) => holders.get(attemptId),
    nearMisses: await nearMissesOf(parts, run),
  };
  const answer = why(facts);
  return not === undefined ? answer : { ...answer, not: whyNot(facts, answer.because, await lookedAt(parts, ns, run, not)) };
}

/** The event that somebody asks about by its receipt; without one, those that nearly woke the run. */
async function lookedAt(parts: ShowWhyParts, ns: string, run: Id, not: string): Promise<LookedAt[]> {
  if (not === '') {
    const receipts = new Set(parts.models.nearMisses.of(run).map(({ receiptId }) => receiptId));
    return (await Promise.all([...receipts].map((receiptId) => receivedOf(parts, receiptId)))).flat();
  }
  if (!isId(not)) invalidParameter('not', "must be the id of an event's receipt, or empty");
  const found = await receivedOf(parts, not);
  if (found[0]?.ns !== ns) refuse('receipt_not_found', 'There is no such receipt in this namespace.');
  return found;
}

async function receivedOf({ store, artifacts }: ShowWhyParts, receiptId: Id): Promise<LookedAt[]> {
  const [received] = await store.read(receiptStream(receiptId), 0, 0);
  if (received?.type !== 'EventReceived') return [];
  const { source, id, type, key, time, extensions, data, dataRef } = received.data as unknown as EventReceived['data'];
  const bytes = dataRef === undefined ? undefined : await artifacts.get(dataRef.artifact.replace(/^sha256:/, ''));
  return [
    {
      ns: received.metadata.ns,
      at: received.at,
      event: {
        receiptId,
        source,
        id,
        type,
        ...(key === undefined ? {} : { key }),
        ...(time === undefined ? {} : { time }),
        data: bytes === undefined ? (data ?? null) : (JSON.parse(Buffer.from(bytes).toString('utf8')) as Json),
        extensions: extensions as { readonly [name: string]: Json },
      },
    },
  ];
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
