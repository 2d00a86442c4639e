import type { Id, Revision } from '@cairn/kernel';

/** How a resume went (`capabilities.md` §2.2), told by what came first after it. */
export type ResumeOutcome = 'success' | 'failed' | 'cut';

/** A wait that let its run go on. */
export interface Resume {
  readonly ns: string;
  readonly run: Id;
  /** Kinds of the triggers that satisfied the wait, each once, in the alphabet's order (`event+timer`); `deadline` if none came in time. */
  readonly trigger: string;
  /** Name of the checkpoint that the run goes on from. */
  readonly restores: string;
  /** Where its `WaitOpened` stands: the checkpoint lies before it. */
  readonly branch: string;
  readonly opened: Revision;
}

/** What is left to find out about a resume before it can be counted: whether its checkpoint holds. */
export interface JudgedResume extends Resume {
  readonly outcome: ResumeOutcome;
}

/** The sets of trigger kinds that can satisfy a wait, and the deadline: a closed label. */
export const resumeTriggers: readonly string[] = [
  'event',
  'signal',
  'timer',
  'event+signal',
  'event+timer',
  'signal+timer',
  'event+signal+timer',
  'callback',
  'callback+event',
  'callback+signal',
  'callback+timer',
  'callback+event+signal',
  'callback+event+timer',
  'callback+signal+timer',
  'callback+event+signal+timer',
  'deadline',
];
export const resumeOrigins = ['checkpoint', 'full_fold'] as const;
export type ResumeOrigin = (typeof resumeOrigins)[number];
export const resumeOutcomes: readonly ResumeOutcome[] = ['success', 'failed', 'cut'];
