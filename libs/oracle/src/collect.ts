import { isId, policyStream, receiptStream, reviewStream, workflowStream, type Id, type StoredEvent } from '@cairn/kernel';
import { FIRST_BRANCH, readBranches, type EventStore } from '@cairn/ports';
import { isControl } from './branch.js';
import type { RunHistory } from './history.js';

/**
 * Reads what the store holds about a run, or `undefined` if there is no such run. It names its receipts, definition and policies
 * itself, so nothing has to be searched. Events that were kept or refused for this run without reaching it are not among them.
 */
export async function collectHistory(store: Pick<EventStore, 'read'>, runId: Id): Promise<RunHistory | undefined> {
  const branches = await readBranches(store, runId);
  const first = branches.get(FIRST_BRANCH)?.[0];
  if (first === undefined) return undefined;
  const all = [...branches.values()].flat();
  const pinning = all.filter(({ type }) => type === 'RunStarted' || type === 'BranchOpened');
  const asked = all.flatMap(({ type, data }) => (type === 'ReviewRequested' ? [String(data['reviewId'])] : []));
  const [inbox, definitions, policies, reviews] = await Promise.all([
    readAll(store, receiptsNamed(all).map(receiptStream)),
    readAll(
      store,
      pinsOf(pinning, 'definition').map((name) => workflowStream(first.metadata.ns, name)),
    ),
    readAll(
      store,
      pinsOf(pinning, 'policies').map((name) => policyStream(first.metadata.ns, name)),
    ),
    Promise.all(asked.map(async (reviewId) => [reviewId, await store.read(reviewStream(reviewId))] as const)),
  ]);
  return { runId, branches, inbox, definitions, policies, reviews: new Map(reviews) };
}

async function readAll(store: Pick<EventStore, 'read'>, streams: readonly string[]): Promise<StoredEvent[]> {
  return (await Promise.all(streams.map((stream) => store.read(stream)))).flat();
}

/** Receipts of what started the run, of what woke it and of who stopped it. A timer's event id has no receipt. */
function receiptsNamed(events: readonly StoredEvent[]): Id[] {
  const named = new Set<Id>();
  for (const event of events) {
    const { type, data, causationId } = event;
    if (type === 'RunStarted') named.add((data as { cause: { receiptId: Id } }).cause.receiptId);
    if (type === 'WaitTriggered' && data['source'] !== undefined) named.add(data['eventId'] as Id);
    if (isAboutEffects(type, data) && isId(causationId)) named.add(causationId); // Mostly a reply's, or a decision's: there is none of that id.
    if (isControl(event) || type === 'BranchSuperseded' || type === 'ShadowOpened') named.add(causationId); // A policy's is no receipt: there is none of that id.
  }
  return [...named];
}

/** What a person may have asked about an effect, or said of it. */
const isAboutEffects = (type: string, data: StoredEvent['data']): boolean =>
  (type === 'StepStarted' && data['effect'] !== undefined) ||
  (type === 'EffectConfirmed' && data['by'] === 'person') ||
  type === 'EffectAbsent';

/** A branch may go on by another version, and by policies that the run had not pinned. */
function pinsOf(events: readonly StoredEvent[], field: 'definition' | 'policies'): string[] {
  const pins = events.flatMap(({ data }) => [data[field] ?? []].flat() as readonly unknown[] as readonly { name: string }[]);
  return [...new Set(pins.map(({ name }) => name))];
}
