/** What may be set of retry-policy. */
export interface RetryPolicyConfig {
  /** Namespaces that get their policy at start; others get it with their first failure. Default: `default`. */
  readonly namespaces?: readonly string[];
  /** How long a failure whose fact was lost may lie unjudged, in milliseconds. Default 5,000. */
  readonly sweepIntervalMs?: number;
}
