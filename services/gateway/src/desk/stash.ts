import type { CloudEvent, ExchangeResponse, TaskData } from '@cairn/contracts';
import type { FieldError, Id } from '@cairn/kernel';
import type { Outcome } from '@cairn/sdk/exchange';

/** What replicas have answered and no frame has taken to the session yet. */
export class Stash {
  private readonly tasks = new Map<Id, CloudEvent<TaskData>>();
  private settled: Record<Outcome, string[]> = { accepted: [], late: [], forwarded: [] };
  private refused: { readonly id: string; readonly errors: readonly FieldError[] }[] = [];
  isEmpty = true;

  attempts(): Iterable<Id> {
    return this.tasks.keys();
  }

  tasksOf(queue: string): number {
    let count = 0;
    for (const { data } of this.tasks.values()) if (data?.queue === queue) count += 1;
    return count;
  }

  /** One that is given twice goes once. */
  addTask(task: CloudEvent<TaskData>): void {
    this.tasks.set(task.data?.lease.attemptId ?? task.id, task);
    this.isEmpty = false;
  }

  addSettled(outcome: Outcome, ids: readonly string[]): void {
    this.settled[outcome].push(...ids);
    this.isEmpty = false;
  }

  addRefused(id: string, errors: readonly FieldError[]): void {
    this.refused.push({ id, errors });
    this.isEmpty = false;
  }

  /** All of it, which is then the caller's. */
  empty(): Omit<ExchangeResponse, 'seq'> {
    const tasks = [...this.tasks.values()];
    const { settled, refused } = this;
    this.tasks.clear();
    this.settled = { accepted: [], late: [], forwarded: [] };
    this.refused = [];
    this.isEmpty = true;
    return { ...settled, ...(refused.length === 0 ? {} : { refused }), tasks };
  }
}
