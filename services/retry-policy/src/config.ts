import { serviceEnv } from '@cairn/nest-kit';
import { z } from 'zod';

/** What may be set of retry-policy. */
export interface RetryPolicyConfig {
  /** Namespaces that get policy `default` at start; a run of another one cannot start before somebody applies it there. Default: `default`. */
  readonly namespaces?: readonly string[];
  /** How long a failure whose judgement went wrong may lie until it is judged again, in milliseconds. Default 5,000. */
  readonly sweepIntervalMs?: number;
}

/** What the environment says to its process, by name of the variable. */
export const retryPolicyEnv = z.object({ ...serviceEnv });
