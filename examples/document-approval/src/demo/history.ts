import type { StoredEvent } from './cairn.js';

// What the demo asks of a run's events.

export function eventOf(events: readonly StoredEvent[], type: string, step: string): StoredEvent | undefined {
  return events.find((event) => event.type === type && event.data['step'] === step);
}

export function stepsOf(events: readonly StoredEvent[], type: string): string[] {
  return events.filter((event) => event.type === type).map(({ data }) => String(data['step']));
}

export function startsOf(events: readonly StoredEvent[], step: string): readonly StoredEvent[] {
  return events.filter(({ type, data }) => type === 'StepStarted' && data['step'] === step);
}
export function bucketOf({ data }: StoredEvent): string {
  return String(data['bucket']);
}

export function isJustified({ data }: StoredEvent): boolean {
  const { rule, newEvidence, expectedChange } = data['justification'] as {
    rule: string;
    newEvidence: readonly unknown[];
    expectedChange: unknown;
  };
  return rule.includes('#rate_limited') && newEvidence.length > 0 && expectedChange === 'provider_reset';
}

/** Whether an attempt began when its decision allowed it, which is not before what the provider had said: a second after it refused. */
export function keepsItsTime(started: StoredEvent, events: readonly StoredEvent[]): boolean {
  const decided = events.findLast(({ type, revision }) => type === 'RetryDecided' && revision < started.revision);
  const failed = events.findLast(({ type, revision }) => type === 'StepFailed' && revision < (decided?.revision ?? 0));
  const notBefore = Date.parse(String(decided?.data['notBefore']));
  return Date.parse(started.metadata.at) >= notBefore && notBefore >= Date.parse(failed?.metadata.at ?? '') + 1_000;
}

/** What came from outside: the start, and triggers that are no timer. */
export function isInbound({ type, data }: StoredEvent): boolean {
  return type === 'RunStarted' || (type === 'WaitTriggered' && data['source'] !== undefined);
}
