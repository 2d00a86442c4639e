import { metricDeclarations, metricNames } from '@cairn/contracts';
import type { RunEvent } from '@cairn/domain-run';
import type { Id, StoredEvent } from '@cairn/kernel';
import { FIRST_BRANCH } from '@cairn/ports';
import { RunRow } from '../readmodels/run-row.js';
import { proveCheckpoint } from './checkpoint-proof.js';
import { LifecycleMetrics } from './lifecycle-metrics.js';
import { MetricTotals } from './metric-totals.js';
import type { JudgedResume } from './resume.js';

/**
 * The lifecycle metrics (`capabilities.md` §2.2) of a history alone, as the samples of a scrape that are not 0. Pure: what the gateway
 * shows live must be this (U-20). Takes events of runs and receipts, each stream in its order, a branch behind what announced it; streams may
 * be mixed in any other way, only which workflows are the first 200 depends on it. `holds` tells whether an artifact is there as it was.
 */
export function lifecycleMetricsOf(
  events: Iterable<StoredEvent>,
  holds: (sha256: string) => boolean = () => true,
): ReadonlyMap<string, number> {
  const totals = new MetricTotals(metricDeclarations);
  const histories = new Map<Id, { readonly row: RunRow; readonly branches: Map<string, StoredEvent[]> }>();
  const metrics = new LifecycleMetrics(totals, (resume) => countResume(resume));
  for (const event of events) {
    const run = event.metadata.runId;
    if (run === undefined) {
      if (event.type === 'ReceiptSettled') metrics.ofReceipt(event);
      continue;
    }
    let history = histories.get(run);
    if (history === undefined) histories.set(run, (history = { row: new RunRow(run), branches: new Map() }));
    const { row, branches } = history;
    const { state, entered } = row;
    if (!row.apply(event)) continue;
    const branch = event.metadata.branch ?? FIRST_BRANCH;
    const stream = branches.get(branch);
    if (stream === undefined) branches.set(branch, [event]);
    else stream.push(event);
    metrics.ofRun(event as StoredEvent & RunEvent, row, state, entered);
  }
  metrics.tellGauges();
  return totals.samples();

  function countResume(resume: JudgedResume): void {
    const { ns, run, trigger, outcome } = resume;
    const named = proveCheckpoint(resume, histories.get(run)?.branches ?? new Map<string, StoredEvent[]>());
    const from = named?.every(holds) === true ? 'checkpoint' : 'full_fold';
    totals.count(metricNames.resumes, { ns, trigger, from, outcome });
  }
}
