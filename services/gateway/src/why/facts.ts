import type { QueueView, WhyReason } from '@cairn/contracts';
import type { RunEvent, RunState } from '@cairn/domain-run';
import { epochMsOf, spanText, type EpochMs, type Id, type Instant, type StoredEvent } from '@cairn/kernel';

export type RunStored = StoredEvent & RunEvent;

/** All that the sentence is made from: what the history says of the run, and who is there now. */
export interface WhyFacts {
  readonly ns: string;
  readonly state: RunState;
  /** Of all branches, in the order in which they were announced; `state` is that of the head. */
  readonly events: readonly RunStored[];
  readonly now: EpochMs;
  /** Who serves a queue; `undefined` while execution does not answer, so that nobody knows. */
  queue(name: string): QueueView | undefined;
  /** Who has an open attempt. */
  holder(attemptId: Id): string | undefined;
  /** What nearly woke the run of late, newest first. */
  readonly nearMisses: readonly NearMissFact[];
}

export interface NearMissFact {
  /** Step of the wait. */
  readonly wait: string;
  readonly type: string;
  readonly source: string;
  readonly at: Instant;
  readonly clause: string;
  readonly expected: unknown;
  readonly got: unknown;
}

export type Reason = WhyReason;

/** Characters of a run's id that a command is given: unique enough, and what people are shown (`capabilities.md` §7.1). */
const TAIL_SHOWN = 8;
/** Characters of somebody's text within our sentence. */
const SAID_MAX = 160;
const DEFAULT_NS = 'default';
const PLAIN_WORD = /^[A-Za-z0-9_.:@%+=,/-]+$/;

/** A command line that does what it says when it is pasted: `npx cairn run unpause g9sfk3s1`. */
export function command({ ns, state }: WhyFacts, words: string, ...more: readonly string[]): string {
  const namespace = ns === DEFAULT_NS ? [] : ['--ns', ns];
  return ['npx cairn', words, state.runId.slice(-TAIL_SHOWN), ...[...more, ...namespace].map(shellWord)].join(' ');
}

/** One that is not about the run. */
export function plainCommand({ ns }: WhyFacts, words: string, ...more: readonly string[]): string {
  const namespace = ns === DEFAULT_NS ? [] : ['--ns', ns];
  return ['npx cairn', words, ...[...more, ...namespace].map(shellWord)].join(' ');
}

/** How long ago: `3m 05s`. */
export const since = ({ now }: WhyFacts, instant: Instant): string => spanText(now - epochMsOf(instant));
/** How long still, and when: `2026-11-24T10:00:20Z, in 12.0s`. */
export const until = ({ now }: WhyFacts, instant: Instant): string => `${toSecond(instant)}, in ${spanText(epochMsOf(instant) - now)}`;
export const toSecond = (instant: Instant): string => `${instant.slice(0, 19)}Z`;

/** Somebody else's text as part of a sentence: one line, bounded, in quotes. */
export const said = (text: string): string => `"${line(text)}"`;
/** A value as part of a sentence, as JSON. */
export const shown = (value: unknown): string => line(JSON.stringify(value) ?? '');

function line(text: string): string {
  const one = text.replace(/[\s\p{C}]+/gu, ' ').trim();
  return (one.length <= SAID_MAX ? one : `${one.slice(0, SAID_MAX - 1)}…`).toWellFormed();
}

/** The newest event of a type that fits. */
export function newest<T extends RunEvent['type']>(
  { events }: WhyFacts,
  type: T,
  fits: (event: Extract<RunStored, { type: T }>) => boolean = () => true,
): Extract<RunStored, { type: T }> | undefined {
  return events.findLast((event) => event.type === type && fits(event as Extract<RunStored, { type: T }>)) as
    Extract<RunStored, { type: T }> | undefined;
}

/** What was decided about a failed attempt. */
export const decisionOf = (facts: WhyFacts, attemptId: Id) => newest(facts, 'RetryDecided', ({ data }) => data.attemptId === attemptId);

const shellWord = (word: string): string => (PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
