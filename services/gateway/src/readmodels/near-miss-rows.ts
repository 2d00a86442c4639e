import { Generations } from '@cairn/application';
import type { ReceiptSettled } from '@cairn/domain-schedule';
import type { Id, Instant, Json, StoredEvent } from '@cairn/kernel';

/** An event that would have woken a wait but for one clause. */
export interface NearMissRow {
  readonly receiptId: Id;
  readonly at: Instant;
  readonly wait: string;
  readonly clause: string;
  readonly expected: Json;
  readonly got: Json;
}

/** Runs whose near misses are remembered: they help whoever looks soon after, and receipts have all of them. */
const RUNS_MAX = 2_000;
const ROWS_OF_RUN_MAX = 5;

/** What nearly woke runs of late, newest first. */
export class NearMissRows {
  private rows = new Generations<Id, readonly NearMissRow[]>(RUNS_MAX);

  apply({ data, at }: StoredEvent): void {
    const { receiptId, nearMisses } = data as unknown as ReceiptSettled['data'];
    for (const { run, wait, clause, expected, got } of nearMisses)
      this.rows.set(run, [{ receiptId, at, wait, clause, expected, got }, ...this.of(run)].slice(0, ROWS_OF_RUN_MAX));
  }

  of(run: Id): readonly NearMissRow[] {
    return this.rows.peek(run) ?? []; // Which are forgotten first must not depend on who looked.
  }

  *entries(): Iterable<readonly [kind: string, key: string, value: unknown]> {
    for (const [run, rows] of this.rows.entries()) yield ['near misses', run, rows];
  }

  adopt({ rows }: NearMissRows): void {
    this.rows = rows;
  }
}
