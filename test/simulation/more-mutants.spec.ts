/** The other half of `mutants.spec.ts`. */
import { huntMutants } from './hunt-mutants.js';

huntMutants(1);
