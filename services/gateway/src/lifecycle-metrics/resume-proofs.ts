import { metricNames } from '@cairn/contracts';
import { runStream } from '@cairn/kernel';
import {
  ArtifactFault,
  FIRST_BRANCH,
  isFault,
  readBranches,
  StoreFault,
  type Artifacts,
  type Clock,
  type EventStore,
  type Metrics,
  type Timer,
} from '@cairn/ports';
import { proveCheckpoint } from './checkpoint-proof.js';
import type { JudgedResume, ResumeOrigin } from './resume.js';

/** While events come in, one proof is made so often: a proof costs the reading and folding of a run, and runs come first. */
const BUSY_PAUSE_MS = 5;
/** Resumes that may wait for their proof; beyond, proofs no longer make room for anything. */
const BACKLOG_MAX = 10_000;
/** How long after the store or the artifacts were away a proof is tried again. */
const RETRY_MS = 1_000;

export interface ResumeProofParts {
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Changes whenever there is something else to do. */
  readonly activity: () => number;
  readonly onBug: (error: unknown) => void;
}

/**
 * Counts resumes once it is known where they went on from (`cairn_resumes_total`, label `from`): `checkpoint` if the one that the wait
 * restores recomputes to its digest and its artifacts are what they were, else `full_fold`. One after another, beside the hot path.
 */
export class ResumeProofs {
  private queue: JudgedResume[] = [];
  private next = 0;
  private working = false;
  private stopped = false;
  private pause: { readonly timer: Timer; readonly end: () => void } | undefined;
  private waiting: (() => void)[] = [];

  constructor(private readonly parts: ResumeProofParts) {}

  add(resume: JudgedResume): void {
    if (this.stopped) return;
    this.queue.push(resume);
    if (!this.working) void this.work();
  }

  /** Resolves when every resume added so far is counted, or when this is stopped. */
  settled(): Promise<void> {
    return this.working ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve();
  }

  stop(): void {
    this.stopped = true;
    this.pause?.timer.cancel();
    this.pause?.end();
  }

  private async work(): Promise<void> {
    this.working = true;
    while (this.next < this.queue.length && !this.stopped) {
      const before = this.parts.activity();
      if (this.queue.length - this.next <= BACKLOG_MAX) await this.rest(BUSY_PAUSE_MS);
      do await this.count();
      while (this.next < this.queue.length && this.parts.activity() === before && !this.stopped);
    }
    this.queue = [];
    this.next = 0;
    this.working = false;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private async count(): Promise<void> {
    const resume = this.queue[this.next];
    if (resume === undefined || this.stopped) return;
    try {
      const from = await this.origin(resume);
      const { ns, trigger, outcome } = resume;
      this.parts.metrics.count(metricNames.resumes, { ns, trigger, from, outcome });
      this.next += 1;
    } catch (error) {
      if (!isFault(error)) {
        this.parts.onBug(error);
        this.next += 1; // It would be one again.
      } else await this.rest(RETRY_MS);
    }
  }

  private async origin(resume: JudgedResume): Promise<ResumeOrigin> {
    const { store, artifacts } = this.parts;
    const { run, branch, opened } = resume;
    try {
      const branches =
        branch === FIRST_BRANCH ? new Map([[branch, await store.read(runStream(run, branch), 0, opened)]]) : await readBranches(store, run);
      const named = proveCheckpoint(resume, branches);
      if (named === undefined) return 'full_fold';
      for (const sha256 of named) if ((await artifacts.get(sha256)) === undefined) return 'full_fold';
      return 'checkpoint';
    } catch (error) {
      if (error instanceof ArtifactFault && error.code === 'artifact_corrupt') return 'full_fold';
      if (error instanceof StoreFault && error.code === 'stream_corrupt') return 'full_fold';
      throw error;
    }
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.pause = undefined;
        resolve();
      };
      this.pause = { timer: this.parts.clock.after(ms, end), end };
    });
  }
}
