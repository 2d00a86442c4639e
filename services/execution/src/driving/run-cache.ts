import type { Id } from '@cairn/kernel';
import type { LoadedRun } from './run-loader.js';

/** Folded states of hot branches, the least recently used given up first. What is dropped is read again: a cache, nothing more. */
export class RunCache {
  private readonly runs = new Map<Id, LoadedRun>();

  constructor(private readonly runsMax: number) {}

  get(runId: Id): LoadedRun | undefined {
    return this.runs.get(runId);
  }

  set(runId: Id, run: LoadedRun): void {
    this.runs.delete(runId);
    this.runs.set(runId, run);
    if (this.runs.size <= this.runsMax) return;
    const oldest = this.runs.keys().next().value;
    if (oldest !== undefined) this.runs.delete(oldest);
  }

  delete(runId: Id): void {
    this.runs.delete(runId);
  }
}
