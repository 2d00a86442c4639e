import { serviceEnv } from '@cairn/nest-kit';
import { z } from 'zod';

/** What may be set of human-review. */
export interface HumanReviewConfig {
  /** How long a review whose next step went wrong may lie until it is looked at again, in milliseconds. Default 5,000. */
  readonly sweepIntervalMs?: number;
}

/** What the environment says to its process, by name of the variable. */
export const humanReviewEnv = z.object({ ...serviceEnv });
