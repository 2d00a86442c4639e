import type { EpochMs, Id, StoredEvent } from '@cairn/kernel';

/** Everything that is stored about one run: what `verifyRun` reads, and all that it reads. */
export interface RunHistory {
  readonly runId: Id;
  /** `run-<runId>+<branch>`, whole streams by branch. */
  readonly branches: ReadonlyMap<string, readonly StoredEvent[]>;
  /** `review-<reviewId>`, whole streams of every review that the run asked for. Absent: what needs them is not checked. */
  readonly reviews?: ReadonlyMap<Id, readonly StoredEvent[]>;
  /** Events of `receipt-…` and `inbox-…` streams that name this run. Absent: what needs them is not checked. */
  readonly inbox?: readonly StoredEvent[];
  /** Events of the `policy-…` streams that the run names. Absent: not checked. */
  readonly policies?: readonly StoredEvent[];
  /** Events of the run's `workflow-…` stream. Absent: not checked. */
  readonly definitions?: readonly StoredEvent[];
  /** An earlier read of the same branches: it must be a prefix of this one (I-1). */
  readonly earlier?: ReadonlyMap<string, readonly StoredEvent[]>;
  /** When the history was read, by true time. With it a quiescent run is asked whether something due was forgotten. */
  readonly readAt?: EpochMs;
}

/** Numbers that a history must keep to. */
export interface Limits {
  /** Events and bytes (sum of bodies) of one branch at most (I-34). */
  readonly branchEvents: number;
  readonly branchBytes: number;
  /** Bytes of one event's body, of one append, of an output that stands in an event, at most (I-34). */
  readonly eventBytes: number;
  readonly appendBytes: number;
  readonly outputBytes: number;
  /** Events that one opening of a wait may add beside one per trigger that came (I-34). */
  readonly waitEvents: number;
  readonly branches: number;
  /** By how much two machines' clocks may differ (I-35). */
  readonly skewMs: number;
  /** How long after its time something due may still be under way in a quiescent system (I-31): two sweeps and the skew. */
  readonly overdueMs: number;
}

/** A broken invariant of `reliability.md` §2, where it shows, and a sentence. */
export interface Violation {
  /** `I-10`. */
  readonly invariant: Invariant;
  readonly branch: string;
  /** Of the event at which it shows; 0 where it concerns the whole branch. */
  readonly revision: number;
  readonly says: string;
}

/** What this oracle checks. */
export const invariants = [
  'I-1',
  'I-2',
  'I-3',
  'I-4',
  'I-5',
  'I-6',
  'I-8',
  'I-9',
  'I-10',
  'I-11',
  'I-12',
  'I-13',
  'I-14',
  'I-15',
  'I-16',
  'I-17',
  'I-18',
  'I-19',
  'I-20',
  'I-21',
  'I-22',
  'I-23',
  'I-24',
  'I-25',
  'I-26',
  'I-27',
  'I-28',
  'I-29',
  'I-30',
  'I-31',
  'I-32',
  'I-33',
  'I-34',
  'I-35',
] as const;
export type Invariant = (typeof invariants)[number];

/** One line for people and for `grep`: `I-10 run=… branch=main rev=17 …`. */
export function printViolation(runId: Id, { invariant, branch, revision, says }: Violation): string {
  return `${invariant} run=${runId} branch=${branch} rev=${revision} ${says}`;
}
