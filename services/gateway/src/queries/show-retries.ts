import type { Page, RetryView } from '@cairn/contracts';
import type { Definition } from '@cairn/domain-definition';
import {
  parseOccurrence,
  type BranchSuperseded,
  type RetryDecided,
  type RunEvent,
  type PinnedDocument,
  type StepFailed,
  type VerdictApplied,
} from '@cairn/domain-run';
import type { DefinitionApplied } from '@cairn/domain-schedule';
import type { Id, JsonObject, StoredEvent } from '@cairn/kernel';
import type { Artifacts, EventStore } from '@cairn/ports';
import { readQuery, type Query } from '../edge/params.js';
import type { ImportedRuns } from '../bundles/imported-runs.js';
import { refuse } from '../edge/refused.js';
import { hasReason, verdictText } from '../why/verdict.js';
import type { RunReader } from './run-reader.js';
import { documentOf, showDefinition } from './show-definition.js';

export interface ShowRetriesParts {
  readonly reader: RunReader;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly imported: ImportedRuns;
}

/**
 * `GET runs/{id}/retries?step=`: each failure of the run in order, and what was made of it (C-WHYRETRY); with `step=` those of one step,
 * all its turns where it loops. Refuses `step_not_found` for a step that the run's definition does not have.
 */
export async function showRetries(parts: ShowRetriesParts, ns: string, run: Id, query: Query): Promise<Page<RetryView>> {
  const { step } = readQuery(query, ['step']);
  const { branches, state } = await parts.reader.whole(ns, run);
  const items = retriesOf(branches);
  if (step === undefined) return { items };
  const found = items.filter((failure) => failure.step === step || parseOccurrence(failure.step).step === step);
  if (found.length === 0 && !(await hasStep(parts, ns, run, state.started?.definition, parseOccurrence(step).step)))
    refuse('step_not_found', "The run's definition has no such step.");
  return { items: found };
}

/** Whether the definition by which the run goes on has a step of that id. */
async function hasStep(parts: ShowRetriesParts, ns: string, run: Id, pin: PinnedDocument | undefined, id: string): Promise<boolean> {
  const { imported } = await parts.reader.row(ns, run);
  const applied =
    imported === undefined
      ? undefined
      : (await parts.imported.history(imported)).definitions?.find(({ data }) => data['hash'] === pin?.hash);
  const definition =
    applied === undefined
      ? (await showDefinition(parts, ns, pin?.name ?? '', { version: String(pin?.version) })).definition
      : await documentOf(parts.artifacts, applied.data as unknown as DefinitionApplied['data']);
  const { steps, reduced = [] } = definition as unknown as Definition;
  return [...steps, ...reduced.flatMap((path) => path.steps)].some((step) => step.id === id);
}

type Failed = Omit<RetryView, 'decided' | 'people' | 'passedOver' | 'says'> & { readonly told: StepFailed['data'] };

/**
 * The failures of all branches, in the order in which these were announced. A decision stands with the attempt that it is about, however much
 * later it came, and on whatever branch.
 */
export function retriesOf(branches: ReadonlyMap<string, readonly StoredEvent[]>): RetryView[] {
  const numbers = new Map<Id, number>();
  const failures = new Map<Id, Failed>();
  const decisions = new Map<Id, NonNullable<RetryView['decided']>>();
  const people = new Map<Id, NonNullable<RetryView['people']>>();
  const newest = new Map<string, Id>();
  const passedOver = new Set<Id>();
  const all = [...branches].flatMap(([branch, events]) => events.map((event) => ({ branch, event: event as StoredEvent & RunEvent })));
  for (const { branch, event } of all) {
    if (event.type === 'StepStarted') numbers.set(event.data.attemptId, event.data.attempt);
    else if (event.type === 'StepFailed') {
      const { step, attemptId, failure } = event.data;
      newest.set(step, attemptId);
      failures.set(attemptId, {
        step,
        attempt: numbers.get(attemptId) ?? 1,
        attemptId,
        branch,
        revision: event.revision,
        failedAt: event.at,
        failure: failure as unknown as JsonObject,
        told: event.data,
      });
    } else if (event.type === 'RetryDecided' && !decisions.has(event.data.attemptId))
      decisions.set(event.data.attemptId, decidedOf(event.data, event, openedBy(event, branches.get(branch) ?? [])));
    else if (event.type === 'VerdictApplied' && event.data.attemptId !== undefined)
      people.set(event.data.attemptId, peopleOf(event.data, event, openedBy(event, branches.get(branch) ?? [])));
    else if (event.type === 'StepSkipped' && event.data.because === 'optional') passedOver.add(newest.get(event.data.step) ?? '');
  }
  return [...failures.values()].map(({ told, ...failed }) => {
    const decided = decisions.get(failed.attemptId);
    const byPeople = people.get(failed.attemptId);
    const passed = passedOver.has(failed.attemptId);
    return {
      ...failed,
      ...(decided === undefined ? {} : { decided }),
      ...(byPeople === undefined ? {} : { people: byPeople }),
      ...(passed ? { passedOver: true } : {}),
      says: sentence(failed, told, decided, passed) + saidByPeople(byPeople),
    };
  });
}

type Opens = NonNullable<NonNullable<RetryView['decided']>['opens']>;

/** The branch that a decision opens is announced in its append, which is the last of its branch. */
function openedBy({ metadata }: StoredEvent, events: readonly StoredEvent[]): Opens | undefined {
  const last = events.at(-1);
  if (last?.type !== 'BranchSuperseded' || last.metadata.appendFirst !== metadata.appendFirst) return undefined;
  const { successor, spec } = last.data as unknown as BranchSuperseded['data'];
  return { branch: successor, cause: spec.cause, changes: spec.changes as unknown as readonly JsonObject[] };
}

function decidedOf(data: RetryDecided['data'], { revision, at }: StoredEvent, opens: Opens | undefined): NonNullable<RetryView['decided']> {
  const { bucket, decision, justification, policy, notBefore, queue, change } = data;
  return {
    revision,
    at,
    bucket,
    decision,
    justification: justification as unknown as JsonObject,
    policy: { ...policy },
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(queue === undefined ? {} : { queue }),
    ...(change === undefined ? {} : { change }),
    ...(opens === undefined ? {} : { opens }),
  };
}

function peopleOf(
  { reviewId, by, verdict, then, reason }: VerdictApplied['data'],
  { revision, at }: StoredEvent,
  opens: Opens | undefined,
): NonNullable<RetryView['people']> {
  return { revision, at, by, verdict, then, reason, review: reviewId, ...(opens === undefined ? {} : { opens }) };
}

function saidByPeople(people: RetryView['people']): string {
  if (people === undefined) return '';
  const where = people.opens === undefined ? '' : `, on ${people.opens.branch}`;
  return ` ${people.by.join(', ')} decided ${people.then}${where}: ${people.reason}.`;
}

function sentence(
  { step, attempt }: Pick<RetryView, 'step' | 'attempt'>,
  { failure }: StepFailed['data'],
  decided: RetryView['decided'],
  passedOver: boolean,
): string {
  const what = `${step} attempt ${attempt} failed (${[failure.code, failure.message].filter(Boolean).join(': ')})`;
  if (decided === undefined) return `${what}: retry-policy has not judged it yet.`;
  const judged = `${what}, judged ${decided.bucket}`;
  const { rule, expectedChange } = decided.justification as { readonly rule?: string; readonly expectedChange?: string | null };
  if (decided.decision === 'retry' || decided.decision === 'retry_modified') {
    const when = decided.notBefore === undefined ? 'at once' : `not before ${decided.notBefore}`;
    const how =
      decided.decision === 'retry' ? 'tried again' : `tried again with a change, on ${decided.opens?.branch ?? 'a branch of its own'},`;
    return `${judged}: ${how} ${when} by rule ${rule ?? '?'}, because it expects ${expectedChange ?? 'nothing new'}.`;
  }
  const why = rule !== undefined && hasReason(rule) ? `: ${verdictText(rule, decided.bucket)}` : ` by rule ${rule ?? '?'}`;
  if (passedOver) return `${judged}: not tried again, and passed over because the step is optional${why}.`;
  const way = ways[decided.decision];
  if (way !== undefined) return `${judged}: ${way}${whereText(decided)} (${expectedChange ?? '?'})${why}.`;
  const asked = decided.queue === undefined ? '' : `, queue ${decided.queue} was asked`;
  return `${judged}: ${outcomes[decided.decision] ?? decided.decision}${asked}${why}.`;
}

/** The branch that follows, once it is announced. */
const whereText = ({ opens }: NonNullable<RetryView['decided']>): string => (opens === undefined ? '' : `, on ${opens.branch}`);

/** Ways on, each on a branch of its own. */
const ways: { readonly [decision: string]: string | undefined } = {
  fallback: 'a declared alternative does the step from here on',
  reduce_scope: 'the run goes on by a reduced path',
};

const outcomes: { readonly [decision: string]: string | undefined } = {
  escalate: 'not tried again, a person is to decide',
  block: 'not tried again, the step is blocked',
  give_up: 'not tried again, the run gives up',
};
