/** One metric of a process, as data: an adapter makes it, `/metrics` shows it (`experience.md` §2.1-§2.2). */
export interface MetricDeclaration {
  /** `cairn_<noun>_<unit>`; `_total` on counters only. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Closed sets: no id, no text of a user. `workflow` keeps its first 200 names. */
  readonly labels?: readonly string[];
  readonly buckets?: readonly number[];
  /** Label values that are known beforehand: shown as 0 from the start. */
  readonly known?: readonly Readonly<Record<string, string>>[];
}

/** Seconds. */
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** I-1 to I-38 (`reliability.md` §2). */
const INVARIANTS = 38;

const kinds = ['fault', 'bug'] as const;
const services = ['execution', 'scheduling', 'retry-policy', 'human-review', 'gateway'] as const;

/** Every metric that any service tells. A name that is not here is a bug, and a spec finds it. */
export const metricDeclarations: readonly MetricDeclaration[] = [
  { name: 'cairn_runs', kind: 'gauge', help: 'Runs that are in the state now.', labels: ['ns', 'workflow', 'state'] },
  {
    name: 'cairn_runs_ended_total',
    kind: 'counter',
    help: 'Runs that have ended, by sub-state of complete.',
    labels: ['ns', 'workflow', 'outcome'],
  },
  {
    name: 'cairn_state_seconds',
    kind: 'histogram',
    help: 'How long runs were in a state, told when they leave it.',
    labels: ['ns', 'workflow', 'state'],
    buckets: [1, 10, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY],
  },
  { name: 'cairn_events_total', kind: 'counter', help: 'Lines of receipts, by outcome.', labels: ['ns', 'outcome'] },
  {
    name: 'cairn_retry_attempts_total',
    kind: 'counter',
    help: 'Decisions about failed attempts, by bucket as judged.',
    labels: ['ns', 'bucket', 'decision'],
  },
  {
    name: 'cairn_retry_resolved_total',
    kind: 'counter',
    help: 'Retried steps that succeeded, by bucket of the failure just before.',
    labels: ['ns', 'bucket'],
  },
  {
    name: 'cairn_resumes_total',
    kind: 'counter',
    help: 'Waits that let their run go on: by what ended them, whether their checkpoint held, and how the run went on.',
    labels: ['ns', 'trigger', 'from', 'outcome'],
  },
  {
    name: 'cairn_effects_unknown',
    kind: 'gauge',
    help: 'Effects of which nobody knows whether they happened.',
    labels: ['ns', 'workflow'],
  },
  {
    name: 'cairn_manual_cleanups_total',
    kind: 'counter',
    help: 'What people did by hand about runs that could not go on, by verb.',
    labels: ['ns', 'verb'],
  },
  { name: 'cairn_branches_opened_total', kind: 'counter', help: 'Branches that were opened, by cause.', labels: ['ns', 'cause'] },
  {
    name: 'cairn_branches_ended_total',
    kind: 'counter',
    help: 'Opened branches that are over: superseded, or with their run.',
    labels: ['ns', 'cause', 'outcome'],
  },
  {
    name: 'cairn_failure_to_decision_seconds',
    kind: 'histogram',
    help: 'From a failed attempt to the decision about it.',
    labels: ['ns', 'bucket', 'decider'],
    // A policy decides within milliseconds, people within days.
    buckets: [0.01, 0.05, 0.25, 1, 5, 15, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, 7 * DAY],
  },
  {
    name: 'cairn_reviews_pending',
    kind: 'gauge',
    help: 'Reviews that people have not decided.',
    labels: ['ns', 'queue', 'risk', 'why'],
  },
  {
    name: 'cairn_review_age_seconds',
    kind: 'gauge',
    help: 'Age of the reviews that people have not decided: p95 and max.',
    labels: ['ns', 'queue', 'risk', 'why', 'q'],
  },
  { name: 'cairn_rings_total', kind: 'counter', help: 'Due times that were rung.', labels: ['kind'] },
  { name: 'cairn_ring_errors_total', kind: 'counter', help: 'Rings that failed; the sweep rings again.', labels: ['kind', 'error'] },
  {
    name: 'cairn_reaction_errors_total',
    kind: 'counter',
    help: 'Reactions to the tail that failed; a bug must be 0.',
    labels: ['service', 'kind'],
  },
  {
    name: 'cairn_sweep_errors_total',
    kind: 'counter',
    help: 'Sweeps that failed; a bug must be 0.',
    labels: ['service', 'kind'],
    known: services.flatMap((service) => kinds.map((kind) => ({ service, kind }))),
  },
  {
    name: 'cairn_relay_errors_total',
    kind: 'counter',
    help: 'Facts that could not be relayed at once; a bug must be 0.',
    labels: ['relay', 'kind'],
  },
  { name: 'cairn_working_set_tail_faults_total', kind: 'counter', help: 'Tails of working sets that the store ended.', labels: ['set'] },
  {
    name: 'cairn_working_set_checkpoint_faults_total',
    kind: 'counter',
    help: 'Checkpoints of working sets that could not be written.',
    labels: ['set'],
  },
  { name: 'cairn_snapshot_faults_total', kind: 'counter', help: 'Snapshots of runs that could not be written.' },
  {
    name: 'cairn_snapshot_refused_total',
    kind: 'counter',
    help: 'Snapshots that the history behind them did not prove: the run was folded whole.',
  },
  { name: 'cairn_claim_faults_total', kind: 'counter', help: 'Claims of effects that got no answer and are asked for again.' },
  { name: 'cairn_task_ring_faults_total', kind: 'counter', help: 'Tasks that could not be sent as messages at once.' },
  {
    name: 'cairn_dispatch_faults_total',
    kind: 'counter',
    help: 'Runs whose open attempts could not be looked at when they were taken over or had moved; the sweep does it.',
  },
  { name: 'cairn_lapse_faults_total', kind: 'counter', help: 'Lapsed leases that could not be recorded at once.' },
  {
    name: 'cairn_projection_lag_seconds',
    kind: 'gauge',
    help: 'How long lists have been behind the store.',
    labels: ['projection'],
    known: [{ projection: 'runs' }],
  },
  { name: 'cairn_event_loop_lag_seconds', kind: 'gauge', help: 'p99 delay of the event loop since the last scrape.', labels: ['service'] },
  {
    name: 'cairn_bugs_total',
    kind: 'counter',
    help: 'Errors that nobody expected; must be 0.',
    labels: ['service'],
    known: services.map((service) => ({ service })),
  },
  {
    name: 'cairn_append_duration_seconds',
    kind: 'histogram',
    help: 'How long appends took, by how they ended.',
    labels: ['service', 'outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  },
  {
    name: 'cairn_attempt_duration_seconds',
    kind: 'histogram',
    help: 'From taking a task to its terminal reply, as execution saw it.',
    labels: ['ns', 'queue', 'outcome'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 15, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY],
  },
  {
    name: 'cairn_runnable_age_seconds',
    kind: 'gauge',
    help: 'Age of the oldest task that nobody has taken, on the replica that serves it.',
    labels: ['ns', 'queue'],
  },
  { name: 'cairn_wakeup_overdue_seconds', kind: 'gauge', help: 'How late the most overdue wake-up is.', labels: ['ns'] },
  { name: 'cairn_relay_lag_seconds', kind: 'gauge', help: 'How far facts are behind the store.', labels: ['service'] },
  {
    name: 'cairn_deliveries_total',
    kind: 'counter',
    help: 'What became of deliveries: done, again, never.',
    labels: ['consumer', 'settlement'],
  },
  { name: 'cairn_branches_open', kind: 'gauge', help: 'Branches with open attempts that this process drives.', labels: ['service'] },
  {
    name: 'cairn_bus_probe_seconds',
    kind: 'histogram',
    help: 'A message to the bus and back, asked every 10 s.',
    labels: ['service'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2],
  },
  { name: 'cairn_dead_letters', kind: 'gauge', help: 'Dead letters that this process has written, by bus stream.', labels: ['stream'] },
  {
    name: 'cairn_oracle_violations_total',
    kind: 'counter',
    help: 'Invariants that a verification found broken; must be 0.',
    labels: ['invariant'],
    known: Array.from({ length: INVARIANTS }, (_, i) => ({ invariant: `I-${i + 1}` })),
  },
  { name: 'cairn_build_info', kind: 'gauge', help: 'What runs; constantly 1.', labels: ['version', 'commit'] },
  { name: 'cairn_bus_info', kind: 'gauge', help: 'Which bus; constantly 1.', labels: ['server', 'schedules'] },
];

/** What the gateway alone tells: folded from the history, the same whoever folds it. */
const lifecycleNames: ReadonlySet<string> = new Set([
  'cairn_runs',
  'cairn_runs_ended_total',
  'cairn_state_seconds',
  'cairn_events_total',
  'cairn_retry_attempts_total',
  'cairn_retry_resolved_total',
  'cairn_resumes_total',
  'cairn_effects_unknown',
  'cairn_manual_cleanups_total',
  'cairn_branches_opened_total',
  'cairn_branches_ended_total',
  'cairn_failure_to_decision_seconds',
  'cairn_reviews_pending',
  'cairn_review_age_seconds',
  'cairn_projection_lag_seconds',
  'cairn_oracle_violations_total',
]);

/** What every process tells of itself. */
export const machineryDeclarations: readonly MetricDeclaration[] = metricDeclarations.filter(({ name }) => !lifecycleNames.has(name));

/** Names for those who tell them. */
export const metricNames = {
  runs: 'cairn_runs',
  runsEnded: 'cairn_runs_ended_total',
  stateSeconds: 'cairn_state_seconds',
  events: 'cairn_events_total',
  retryAttempts: 'cairn_retry_attempts_total',
  retryResolved: 'cairn_retry_resolved_total',
  resumes: 'cairn_resumes_total',
  effectsUnknown: 'cairn_effects_unknown',
  manualCleanups: 'cairn_manual_cleanups_total',
  branchesOpened: 'cairn_branches_opened_total',
  branchesEnded: 'cairn_branches_ended_total',
  failureToDecision: 'cairn_failure_to_decision_seconds',
  reviewsPending: 'cairn_reviews_pending',
  reviewAge: 'cairn_review_age_seconds',
  projectionLag: 'cairn_projection_lag_seconds',
  eventLoopLag: 'cairn_event_loop_lag_seconds',
  bugs: 'cairn_bugs_total',
  appendDuration: 'cairn_append_duration_seconds',
  attemptDuration: 'cairn_attempt_duration_seconds',
  runnableAge: 'cairn_runnable_age_seconds',
  wakeupOverdue: 'cairn_wakeup_overdue_seconds',
  relayLag: 'cairn_relay_lag_seconds',
  deliveries: 'cairn_deliveries_total',
  branchesOpen: 'cairn_branches_open',
  busProbe: 'cairn_bus_probe_seconds',
  deadLetters: 'cairn_dead_letters',
  oracleViolations: 'cairn_oracle_violations_total',
  busInfo: 'cairn_bus_info',
  buildInfo: 'cairn_build_info',
} as const;
