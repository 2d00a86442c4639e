import { serviceEnv } from '@cairn/nest-kit';
import { z } from 'zod';

/** What the environment says to its process, by name of the variable. */
export const executionEnv = z.object({ ...serviceEnv });
