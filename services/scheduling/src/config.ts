import { serviceEnv } from '@cairn/nest-kit';
import { z } from 'zod';

/** What may be set of scheduling. Everything has a default that is right for one process as for ten. */
export interface SchedulingConfig {
  /** How long what has lost its bell may lie before it is rung again, in milliseconds. Default 5,000. */
  readonly sweepIntervalMs?: number;
}

/** What the environment says to its process, by name of the variable. */
export const schedulingEnv = z.object({ ...serviceEnv });
