/** What may be set of scheduling. Everything has a default that is right for one process as for ten. */
export interface SchedulingConfig {
  /** How long what has lost its bell may lie before it is rung again, in milliseconds. Default 5,000. */
  readonly sweepIntervalMs?: number;
}
