import type { Page, RetryView } from '@cairn/contracts';
import type { RetryDecided, RunEvent, StepFailed } from '@cairn/domain-run';
import type { Id, JsonObject, StoredEvent } from '@cairn/kernel';
import { readQuery, type Query } from '../edge/params.js';
import type { RunReader } from './run-reader.js';

/** `GET runs/{id}/retries`: each failure of the run in order, and what was made of it (C-WHYRETRY). */
export async function showRetries({ reader }: { readonly reader: RunReader }, ns: string, run: Id, query: Query): Promise<Page<RetryView>> {
  readQuery(query, []);
  const { branch, events } = await reader.events(ns, run, undefined, 0);
  return { items: retriesOf(branch, events) };
}

type Failed = Omit<RetryView, 'decided' | 'says'> & { readonly told: StepFailed['data'] };

/** The failures of one branch. A decision stands with the attempt that it is about, however much later it came. */
export function retriesOf(branch: string, events: readonly StoredEvent[]): RetryView[] {
  const numbers = new Map<Id, number>();
  const failures = new Map<Id, Failed>();
  const decisions = new Map<Id, NonNullable<RetryView['decided']>>();
  for (const event of events as readonly (StoredEvent & RunEvent)[]) {
    if (event.type === 'StepStarted') numbers.set(event.data.attemptId, event.data.attempt);
    else if (event.type === 'StepFailed') {
      const { step, attemptId, failure } = event.data;
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
      decisions.set(event.data.attemptId, decidedOf(event.data, event));
  }
  return [...failures.values()].map(({ told, ...failed }) => {
    const decided = decisions.get(failed.attemptId);
    return { ...failed, ...(decided === undefined ? {} : { decided }), says: sentence(failed, told, decided) };
  });
}

function decidedOf(data: RetryDecided['data'], { revision, at }: StoredEvent): NonNullable<RetryView['decided']> {
  const { bucket, decision, justification, policy, notBefore, queue } = data;
  return {
    revision,
    at,
    bucket,
    decision,
    justification: justification as unknown as JsonObject,
    policy: { ...policy },
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(queue === undefined ? {} : { queue }),
  };
}

function sentence(
  { step, attempt }: Pick<RetryView, 'step' | 'attempt'>,
  { failure }: StepFailed['data'],
  decided: RetryView['decided'],
): string {
  const what = `${step} attempt ${attempt} failed (${[failure.code, failure.message].filter(Boolean).join(': ')})`;
  if (decided === undefined) return `${what}: retry-policy has not judged it yet.`;
  const judged = `${what}, judged ${decided.bucket}`;
  const { rule, expectedChange } = decided.justification as { readonly rule?: string; readonly expectedChange?: string | null };
  if (decided.decision === 'retry') {
    const when = decided.notBefore === undefined ? 'at once' : `not before ${decided.notBefore}`;
    return `${judged}: tried again ${when} by rule ${rule ?? '?'}, because it expects ${expectedChange ?? 'nothing new'}.`;
  }
  return `${judged}: ${outcomes[decided.decision] ?? decided.decision}${decided.queue === undefined ? '' : `, queue ${decided.queue} was asked`} by rule ${rule ?? '?'}.`;
}

const outcomes: { readonly [decision: string]: string | undefined } = {
  escalate: 'not tried again, a person is to decide',
  block: 'not tried again, the step is blocked',
  give_up: 'not tried again, the run gives up',
};
