import { metricNames, runStateNames, type RunStateName } from '@cairn/contracts';
import type { Instant } from '@cairn/kernel';
import type { Metrics } from '@cairn/ports';
import type { RunRow } from '../readmodels/run-row.js';
import { secondsBetween } from './seconds-between.js';
import { WorkflowLabels } from './workflow-labels.js';

/** Sub-states of `complete`. */
export const runOutcomes = ['succeeded', 'reduced', 'gave_up', 'cancelled', 'failed'] as const;

interface WorkflowTally {
  readonly ns: string;
  readonly workflow: string;
  readonly runs: Map<RunStateName, number>;
}

/** Runs by state, how long they stay in each, and how they end. Counted as runs change state: a scrape walks over workflows, not over runs. */
export class RunTallies {
  private labels = new WorkflowLabels();
  private byNs = new Map<string, Map<string, WorkflowTally>>();

  constructor(private readonly metrics: Metrics) {}

  /** A workflow exists: its ends are told as 0, or the first one would be no increase (`experience.md` §2.1). */
  open(ns: string, workflow: string): WorkflowTally {
    const label = this.labels.of(workflow);
    let tallies = this.byNs.get(ns);
    if (tallies === undefined) this.byNs.set(ns, (tallies = new Map()));
    let tally = tallies.get(label);
    if (tally === undefined) {
      tallies.set(label, (tally = { ns, workflow: label, runs: new Map(runStateNames.map((state) => [state, 0])) }));
      for (const outcome of runOutcomes) this.metrics.count(metricNames.runsEnded, { ns, workflow: label, outcome }, 0);
    }
    return tally;
  }

  /** The run's first event has been folded. */
  enter(row: RunRow): void {
    add(this.open(row.ns, row.workflow), row.state, 1);
  }

  /**
   * A run has left a state: from the event that brought it there to the one that took it away, so that the durations of a run that
   * has ended add up to its age. A state that an append only passes through is left after 0 s.
   */
  move(row: RunRow, from: RunStateName, entered: Instant): void {
    const tally = this.open(row.ns, row.workflow);
    const { ns, workflow } = tally;
    add(tally, from, -1);
    add(tally, row.state, 1);
    const seconds = secondsBetween(entered, row.entered);
    this.metrics.observe(metricNames.stateSeconds, seconds, { ns, workflow, state: from });
    if (row.state === 'complete') this.metrics.count(metricNames.runsEnded, { ns, workflow, outcome: row.sub ?? '' });
  }

  *entries(): Iterable<readonly [kind: string, key: string, value: unknown]> {
    yield ['workflow labels', '', new Set(this.labels.all())];
    for (const [ns, tallies] of this.byNs) yield ['runs by state', ns, tallies];
  }

  adopt({ labels, byNs }: RunTallies): void {
    this.labels = labels;
    this.byNs = byNs;
  }

  tellGauges(): void {
    for (const tallies of this.byNs.values()) {
      for (const { ns, workflow, runs } of tallies.values()) {
        for (const [state, value] of runs) this.metrics.gauge(metricNames.runs, value, { ns, workflow, state });
      }
    }
  }
}

const add = ({ runs }: WorkflowTally, state: RunStateName, by: number): void => void runs.set(state, (runs.get(state) ?? 0) + by);
