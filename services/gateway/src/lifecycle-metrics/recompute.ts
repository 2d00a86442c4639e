import { metricDeclarations, metricNames } from '@cairn/contracts';
import type { RunEvent } from '@cairn/domain-run';
import type { Id, StoredEvent } from '@cairn/kernel';
import { RunRow } from '../readmodels/run-row.js';
import { proveCheckpoint } from './checkpoint-proof.js';
import { LifecycleMetrics } from './lifecycle-metrics.js';
import { MetricTotals } from './metric-totals.js';
import type { JudgedResume } from './resume.js';

/**
 * The lifecycle metrics (`capabilities.md` §2.2) of a history alone, as the samples of a scrape that are not 0. Pure: what the gateway
 * shows live must be this (U-20). Takes events of runs and receipts, each stream in its order; streams may be mixed in any way, only
 * which workflows are the first 200 depends on it. `holds` tells whether an artifact is there as it was.
 */
export function lifecycleMetricsOf(
  events: Iterable<StoredEvent>,
  holds: (sha256: string) => boolean = () => true,
): ReadonlyMap<string, number> {
  const totals = new MetricTotals(metricDeclarations);
  const histories = new Map<Id, { readonly row: RunRow; readonly events: StoredEvent[] }>();
  const metrics = new LifecycleMetrics(totals, (resume) => countResume(resume));
  for (const event of events) {
    const run = event.metadata.runId;
    if (run === undefined) {
      if (event.type === 'ReceiptSettled') metrics.ofReceipt(event);
      continue;
    }
    let history = histories.get(run);
    if (history === undefined) histories.set(run, (history = { row: new RunRow(run), events: [] }));
    const { row } = history;
    const { state, entered } = row;
    if (!row.apply(event)) continue;
    history.events.push(event);
    metrics.ofRun(event as StoredEvent & RunEvent, row, state, entered);
  }
  metrics.tellGauges();
  return totals.samples();

  function countResume({ ns, run, trigger, outcome, opened, restores }: JudgedResume): void {
    const named = proveCheckpoint(run, histories.get(run)?.events.slice(0, opened + 1) ?? [], restores);
    const from = named?.every(holds) === true ? 'checkpoint' : 'full_fold';
    totals.count(metricNames.resumes, { ns, trigger, from, outcome });
  }
}
