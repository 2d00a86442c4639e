import type { WorkingSetFold } from '@cairn/application';
import { runEnds } from '@cairn/domain-run';
import type { Id, Revision, StoredEvent } from '@cairn/kernel';

/** A failure that nobody has judged yet. */
export interface Undecided {
  readonly ns: string;
  readonly runId: Id;
  readonly branch: string;
  readonly revision: Revision;
}

/** `StepFailed` without `RetryDecided`: what retry-policy must not forget. By attempt. */
export class UndecidedSet implements WorkingSetFold {
  readonly name = 'retry-policy';
  readonly foldVersion = 1;
  readonly types = ['StepFailed', 'RetryDecided', ...runEnds];
  readonly failures = new Map<Id, Undecided>();

  fold(event: StoredEvent): void {
    const { ns, runId = '', branch = 'main' } = event.metadata;
    switch (event.type) {
      case 'StepFailed':
        return void this.failures.set(attemptOf(event), { ns, runId, branch, revision: event.revision });
      case 'RetryDecided':
        return void this.failures.delete(attemptOf(event));
      default:
        for (const [attemptId, failure] of this.failures) if (failure.runId === runId) this.failures.delete(attemptId);
    }
  }

  reset(): void {
    this.failures.clear();
  }

  serialize(): string {
    return JSON.stringify([...this.failures]);
  }

  deserialize(text: string): void {
    this.reset();
    for (const [attemptId, failure] of JSON.parse(text) as [Id, Undecided][]) this.failures.set(attemptId, failure);
  }
}

const attemptOf = (event: StoredEvent): Id => (event.data as { readonly attemptId: Id }).attemptId;
