import { foldRun, initialState, stateDigest, type RecordedRunEvent, type RunState } from '@cairn/domain-run';
import {
  chainHash,
  invariant,
  parseRunStream,
  runStream,
  sealAppend,
  sha256Hex,
  type Id,
  type Instant,
  type JsonObject,
  type StoredEvent,
} from '@cairn/kernel';

/** One event of a history that is being written or edited. */
export interface DraftEvent {
  type: string;
  version: number;
  data: Record<string, unknown>;
}

/** One append of it. The cause may be an event of the same history: its id is known only when that is sealed. */
export interface Draft {
  at: Instant;
  actor: string;
  cause: string | DraftEvent;
  events: DraftEvent[];
}

/**
 * Seals drafts as an engine would, with true ids, digests and chain. What an edit changed is then the only thing that is wrong.
 * Checkpoints get the digest of the state before them, unless their data names one.
 */
export function sealRun(runId: Id, ns: string, drafts: readonly Draft[], branch = 'main', from?: Beginning): StoredEvent[] {
  const stored: StoredEvent[] = [...(from?.opening ?? [])];
  const ids = new Map<DraftEvent, Id>();
  let state = from?.state ?? initialState(runId, branch);
  for (const event of stored) state = evolveOne(state, event);
  for (const { at, actor, cause, events } of drafts) {
    const causationId = typeof cause === 'string' ? cause : (ids.get(cause) ?? 'unknown');
    const revision = stored.length;
    let ahead = state;
    const bodies = events.map((event, i) => {
      const data = event.type === 'CheckpointReached' ? { stateDigest: stateDigest(ahead), ...event.data } : event.data;
      const sealed = { type: event.type, version: event.version, data };
      ahead = evolveOne(ahead, { ...sealed, at, causationId, revision: revision + i, eventId: `pending-${i}` });
      return sealed;
    });
    const expected = revision === 0 ? 'no_stream' : revision - 1;
    const prevHash = stored.at(-1)?.metadata.hash ?? '';
    const sealed = sealAppend({ stream: runStream(runId, branch), expected, prevHash, ns, runId, branch, at, actor, causationId }, bodies);
    sealed.forEach((event, i) => ids.set(events[i]!, event.eventId));
    for (const event of sealed) state = evolveOne(state, event);
    stored.push(...sealed);
  }
  return stored;
}

/** What a branch begins with: its parent's path and its predecessor's ledger, and its first append. */
export interface Beginning {
  readonly state: RunState;
  readonly opening: readonly StoredEvent[];
}

/** Takes a stored branch apart, so that it can be edited and sealed again. */
export function draftsOf(stored: readonly StoredEvent[]): Draft[] {
  const byId = new Map<Id, DraftEvent>();
  const drafts: Draft[] = [];
  for (const event of stored) {
    const { stateDigest: _recomputed, ...data } = structuredClone(event.data) as Record<string, unknown>;
    const draft: DraftEvent = { type: event.type, version: event.version, data };
    if (event.metadata.appendFirst === event.revision) {
      drafts.push({ at: event.at, actor: event.actor, cause: byId.get(event.causationId) ?? event.causationId, events: [] });
    }
    drafts.at(-1)?.events.push(draft);
    byId.set(event.eventId, draft);
  }
  return drafts;
}

/** Seals the edited drafts of one run's branch again. */
export function resealed(stored: readonly StoredEvent[], edit: (drafts: Draft[]) => unknown, branch = 'main'): StoredEvent[] {
  const drafts = draftsOf(stored);
  edit(drafts);
  const run = parseRunStream(stored[0]!.stream);
  invariant(run !== undefined, 'a branch of a run');
  return sealRun(run.runId, stored[0]!.metadata.ns, drafts, branch);
}

/** Seals a branch's first append again, with what its `BranchOpened` says edited. */
export function resealedOpening(opening: readonly StoredEvent[], edit: (data: Record<string, unknown>) => unknown): StoredEvent[] {
  const { stream, metadata, at, actor, causationId } = there(opening[0]);
  const bodies = opening.map(({ type, version, data }) => ({ type, version, data: structuredClone(data) as Record<string, unknown> }));
  edit(there(bodies[0]).data);
  const { ns, runId, branch, prevHash } = metadata;
  invariant(runId !== undefined && branch !== undefined, 'a branch of a run');
  return sealAppend({ stream, expected: 'no_stream', prevHash, ns, runId, branch, at, actor, causationId }, bodies);
}

/** Gives one event another id and chains what follows to it, as an engine with that id would have. */
export function withEventId(stored: readonly StoredEvent[], revision: number, eventId: Id): StoredEvent[] {
  let prevHash = '';
  return stored.map((event) => {
    const id = event.revision === revision ? eventId : event.eventId;
    const hash = chainHash(prevHash, id, sha256Hex(event.body));
    const chained = { ...event, eventId: id, metadata: { ...event.metadata, eventId: id, prevHash, hash } };
    prevHash = hash;
    return chained;
  });
}

/** Seals the events of another kind of stream, one append each. */
export function sealStream(stream: string, ns: string, events: readonly { type: string; at: Instant; data: JsonObject }[]): StoredEvent[] {
  const stored: StoredEvent[] = [];
  for (const { type, at, data } of events) {
    const expected = stored.length === 0 ? 'no_stream' : stored.length - 1;
    const prevHash = stored.at(-1)?.metadata.hash ?? '';
    stored.push(
      ...sealAppend({ stream, expected, prevHash, ns, at, actor: 'service:scheduling', causationId: 'cause' }, [
        { type, version: 1, data },
      ]),
    );
  }
  return stored;
}

function evolveOne(state: ReturnType<typeof initialState>, event: object): ReturnType<typeof initialState> {
  return foldRun(state, [event as RecordedRunEvent]);
}

export const events = (drafts: Draft[]): DraftEvent[] => drafts.flatMap((draft) => draft.events);
export const first = (drafts: Draft[], type: string): DraftEvent => there(events(drafts).find((event) => event.type === type));
export const last = (drafts: Draft[], type: string): DraftEvent => there(events(drafts).findLast((event) => event.type === type));
/** The attempt-th event of this type that names the step. */
export const ofStep = (drafts: Draft[], type: string, step: string, nth = 1): DraftEvent =>
  there(events(drafts).filter((event) => event.type === type && event.data['step'] === step)[nth - 1]);
export const appendWith = (drafts: Draft[], event: DraftEvent): Draft => there(drafts.find((draft) => draft.events.includes(event)));
export const remove = <T>(from: T[], one: T): void => void from.splice(from.indexOf(one), 1);
/** Takes an event out of its append. */
export const drop = (drafts: Draft[], event: DraftEvent): void => remove(appendWith(drafts, event).events, event);

/** What an edit needs is in the good history, or the edit has to change. */
export function there<T>(found: T | undefined): T {
  invariant(found !== undefined, 'the good history lacks what is to be edited');
  return found;
}
