/** Names of the metrics that a process of Cairn shows (`experience.md` §2.2). Labels hold no id and no text of a user. */
export const metricNames = {
  /** Counter {ns, outcome}: receipts by outcome. */
  events: 'cairn_events_total',
  /** Gauge {ns, workflow, state}: runs that are in the state now. */
  runs: 'cairn_runs',
  /** Counter {ns, workflow, outcome}: runs that ended; outcome = sub-state of `complete`. */
  runsEnded: 'cairn_runs_ended_total',
  /** Histogram {ns, workflow, state}, observed on leaving a state. */
  stateSeconds: 'cairn_state_seconds',
  /** Counter {ns, bucket, decision}: one for each `RetryDecided`. */
  retryAttempts: 'cairn_retry_attempts_total',
  /** Gauge {projection}: how far a read model is behind the store. */
  projectionLag: 'cairn_projection_lag_seconds',
  /** Gauge {service}: the event loop's p99 delay of the last interval. */
  eventLoopLag: 'cairn_event_loop_lag_seconds',
  /** Counter {service}: what must be 0. */
  bugs: 'cairn_bugs_total',
  /** Counter {class}: answers of the HTTP edge by class of status, frames of work apart. */
  httpResponses: 'cairn_http_responses_total',
  /** Gauge {version, commit}: constantly 1. */
  buildInfo: 'cairn_build_info',
} as const;
