import { canonicalLines, readCanonicalLines, type WorkingSetFold } from '@cairn/application';
import { parseRunStream, type Id, type StoredEvent } from '@cairn/kernel';

export interface OpenAttemptEntry {
  readonly ns: string;
  readonly runId: Id;
}

/**
 * Execution's unfinished business: attempts that the history has open. After a crash, or when an append landed that its writer
 * had given up, the sweep finds here what no handler was told of (F-5, F-6).
 */
export class OpenAttempts implements WorkingSetFold {
  readonly name = 'execution';
  readonly types = [
    'StepStarted',
    'StepSucceeded',
    'StepFailed',
    'RunPaused',
    'RunUnpaused',
    'RunCompleted',
    'RunFailed',
    'RunGaveUp',
    'RunCancelled',
  ];
  readonly foldVersion = 2;
  private attempts = new Map<Id, OpenAttemptEntry>();
  private byRun = new Map<Id, Set<Id>>();

  entries(): Iterable<[Id, OpenAttemptEntry]> {
    return this.attempts.entries();
  }

  has(attemptId: Id): boolean {
    return this.attempts.has(attemptId);
  }

  runOf(attemptId: Id): Id | undefined {
    return this.attempts.get(attemptId)?.runId;
  }

  /** The open attempts of a run. */
  of(runId: Id): Iterable<Id> {
    return this.byRun.get(runId) ?? [];
  }

  fold(event: StoredEvent): void {
    const run = parseRunStream(event.stream);
    if (run === undefined) return;
    const attemptId = event.data['attemptId'];
    switch (event.type) {
      case 'StepStarted':
        this.add(attemptId as Id, { ns: event.metadata.ns, runId: run.runId });
        return;
      case 'StepSucceeded':
      case 'StepFailed':
        this.remove(attemptId as Id);
        return;
      case 'RunPaused':
      case 'RunUnpaused':
        return; // The attempts stay open: the desk alone needs to know.
      default:
        for (const open of this.byRun.get(run.runId) ?? []) this.attempts.delete(open);
        this.byRun.delete(run.runId);
    }
  }

  reset(): void {
    this.attempts = new Map();
    this.byRun = new Map();
  }

  lines(): readonly string[] {
    return canonicalLines([...this.attempts].map(([attemptId, entry]) => ['attempt', attemptId, entry]));
  }

  deserialize(text: string): void {
    this.reset();
    for (const [, attemptId, entry] of readCanonicalLines(text)) this.add(String(attemptId), entry as OpenAttemptEntry);
  }

  fresh(): OpenAttempts {
    return new OpenAttempts();
  }

  private add(attemptId: Id, entry: OpenAttemptEntry): void {
    this.attempts.set(attemptId, entry);
    const siblings = this.byRun.get(entry.runId);
    if (siblings === undefined) this.byRun.set(entry.runId, new Set([attemptId]));
    else siblings.add(attemptId);
  }

  private remove(attemptId: Id): void {
    const entry = this.attempts.get(attemptId);
    if (entry === undefined) return;
    this.attempts.delete(attemptId);
    const siblings = this.byRun.get(entry.runId);
    siblings?.delete(attemptId);
    if (siblings?.size === 0) this.byRun.delete(entry.runId);
  }
}
