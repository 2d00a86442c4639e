import { HTTP_ACTOR } from '@cairn/contracts';
import type { BranchOpened, PinnedDocument, ReviewRequested, RunStarted } from '@cairn/domain-run';
import type { Excluded, ReviewOpened } from '@cairn/domain-review';
import {
  canon,
  invariant,
  receiptStream,
  reviewStream,
  runStream,
  workflowStream,
  type Id,
  type Json,
  type StoredEvent,
} from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import type { Unfinished } from '../working-set/reviews.js';

/** What a review's first event says, read from the run that asks, and who may not decide it. Throws `StoreFault`. */
export async function openingOf(
  store: EventStore,
  { reviewId, ns, runId, branch, requested }: Unfinished,
): Promise<{ readonly data: ReviewOpened['data']; readonly requestId: string }> {
  const stream = runStream(runId, branch);
  const [event] = await store.read(stream, requested, requested);
  invariant(event?.type === 'ReviewRequested', `review ${reviewId}: nothing is asked at ${stream}@${requested}`);
  const [first] = await store.read(runStream(runId, 'main'), 0, 0);
  invariant(first?.type === 'RunStarted', `run ${runId} has no beginning`);
  const started = first.data as unknown as RunStarted['data'];
  const { n: _, receiptTtl: __, restores: ___, reviewId: id, previous, ...asked } = event.data as unknown as ReviewRequested['data'];
  const diff = previous === undefined ? undefined : await diffTo(store, previous, asked.subjects as unknown as Json);
  const data: ReviewOpened['data'] = {
    reviewId: id,
    run: runId,
    branch,
    requested,
    workflow: started.workflow,
    goal: started.goal,
    ...asked,
    ...(previous === undefined ? {} : { previous }),
    ...(diff === undefined ? {} : { diffToPrevious: diff }),
    excluded: await excludedFrom(store, ns, started, event, asked.quorum.notSameAs),
  };
  return { data, requestId: event.eventId };
}

/**
 * Four eyes, read from the history (`reliability.md` §6.2): nobody decides what he asked for himself. Whoever started the run, wrote its
 * definition or opened its branch is out, if he is known by name; the one holder of a server's only token is not told apart from others,
 * and is out only where the definition says so (`notSameAs`).
 */
async function excludedFrom(
  store: EventStore,
  ns: string,
  started: RunStarted['data'],
  request: StoredEvent,
  notSameAs: readonly string[],
): Promise<readonly Excluded[]> {
  const found: Excluded[] = [];
  const add = (who: string | undefined, because: string, always: boolean): void => {
    if (who === undefined || !who.startsWith('user:') || (who === HTTP_ACTOR && !always)) return;
    if (!found.some((one) => one.who === who)) found.push({ who, because });
  };
  add(await starterOf(store, started), 'run.starter', notSameAs.includes('run.starter'));
  const [opened] = request.metadata.branch === 'main' ? [] : await store.read(request.stream, 0, 0);
  add(opened?.actor, 'branch.actor', notSameAs.includes('branch.actor'));
  const { name, revision } = await definitionAt(store, request, started);
  const [definition] = await store.read(workflowStream(ns, name), revision, revision);
  add(definition?.actor, 'definition.author', false);
  for (const { who, because } of await actorsOf(store, request, stepsIn(notSameAs))) add(who, because, true);
  return found;
}

const stepsIn = (notSameAs: readonly string[]): string[] =>
  notSameAs.flatMap((one) => (one.startsWith('step:') ? [one.slice('step:'.length)] : []));

/** Who decided or did one of the steps, on the path to an event. */
async function actorsOf(store: EventStore, last: StoredEvent, steps: readonly string[]): Promise<readonly Excluded[]> {
  if (steps.length === 0) return [];
  return (await pathTo(store, last)).flatMap((event) => {
    const step = String(event.data['step']);
    if (!steps.includes(step)) return [];
    const because = `step:${step}`;
    if (event.type === 'VerdictApplied' || event.type === 'VerdictCarried')
      return (event.data['by'] as readonly string[]).map((who) => ({ who, because }));
    return event.type === 'StepSucceeded' ? [{ who: event.actor, because }] : [];
  });
}

/**
 * Who may not decide either, as the run stands now: a step that this review must not share its people with may have been decided while it was
 * open, beside it (`notSameAs: [step:…]`). Empty where the definition names no step. Throws `StoreFault`.
 */
export async function excludedSince(store: EventStore, reviewId: Id): Promise<readonly Excluded[]> {
  const [opened] = await store.read(reviewStream(reviewId), 0, 0);
  if (opened?.type !== 'ReviewOpened') return [];
  const { run, branch, quorum } = opened.data as unknown as ReviewOpened['data'];
  const steps = stepsIn(quorum.notSameAs);
  if (steps.length === 0) return [];
  const last = await newestOf(store, run, branch);
  return last === undefined ? [] : (await actorsOf(store, last, steps)).filter(({ who }) => who.startsWith('user:'));
}

/** The newest event of a branch, or of where the run has gone on from it: a review that was carried has gone with it. */
async function newestOf(store: EventStore, run: Id, branch: string): Promise<StoredEvent | undefined> {
  let newest: StoredEvent | undefined;
  for (let at: string | undefined = branch; at !== undefined;) {
    const events: readonly StoredEvent[] = await store.read(runStream(run, at), 0);
    newest = events.at(-1) ?? newest;
    at = events.at(-1)?.type === 'BranchSuperseded' ? String(events.at(-1)?.data['successor']) : undefined;
  }
  return newest;
}

/** The definition that the branch runs by: its own, or that of the nearest branch that it grew from which has one. */
async function definitionAt(store: EventStore, { stream, metadata }: StoredEvent, started: RunStarted['data']): Promise<PinnedDocument> {
  for (let at: string | undefined = stream; at !== undefined;) {
    const [first]: readonly StoredEvent[] = await store.read(at, 0, 0);
    const { definition, parent } = (first?.data ?? {}) as unknown as Partial<BranchOpened['data']>;
    if (definition !== undefined) return definition;
    at = parent === undefined ? undefined : runStream(metadata.runId ?? '', parent.branch);
  }
  return started.definition;
}

/** What led to an event: its branch up to there, and before that the branches that this one grew from, each up to the fork. */
async function pathTo(store: EventStore, { stream, revision, metadata }: StoredEvent): Promise<readonly StoredEvent[]> {
  const path: StoredEvent[] = [];
  for (let at: { stream: string; revision: number } | undefined = { stream, revision }; at !== undefined;) {
    const events: readonly StoredEvent[] = await store.read(at.stream, 0, at.revision);
    path.unshift(...events);
    const { parent } = (events[0]?.data ?? {}) as { readonly parent?: { readonly branch: string; readonly revision: number } };
    at = parent === undefined ? undefined : { stream: runStream(metadata.runId ?? '', parent.branch), revision: parent.revision };
  }
  return path;
}

/** Who started a run, as the gateway knew him; what came over the bus names nobody whom we know. */
async function starterOf(store: EventStore, { cause }: RunStarted['data']): Promise<string | undefined> {
  const [received] = await store.read(receiptStream(cause.receiptId), 0, 0);
  if (received?.data['via'] !== 'http') return undefined;
  const actor = (received.data['extensions'] as { readonly cairnactor?: Json } | undefined)?.cairnactor;
  return typeof actor === 'string' ? actor : undefined;
}

type Difference = NonNullable<ReviewOpened['data']['diffToPrevious']>[number];

/** Differences that a review shows: more are another proposal, and the whole of it is shown anyway. */
const DIFFERENCES_MAX = 100;

async function diffTo(store: EventStore, previous: string, subjects: Json): Promise<readonly Difference[] | undefined> {
  const [before] = await store.read(reviewStream(previous), 0, 0);
  if (before?.type !== 'ReviewOpened') return undefined;
  return differences('', before.data['subjects'] ?? null, subjects).slice(0, DIFFERENCES_MAX);
}

function differences(path: string, before: Json, after: Json): Difference[] {
  if (canon(before) === canon(after)) return [];
  if (!isObject(before) || !isObject(after)) return [{ path, before, after }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .filter((name) => name !== 'digest' && name !== 'fingerprint') // They differ whenever anything does.
    .flatMap((name) =>
      differences(`${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, before[name] ?? null, after[name] ?? null),
    );
}

const isObject = (value: Json): value is { readonly [field: string]: Json } => typeof value === 'object' && value !== null;
