/**
 * Goal: a promise that is broken is noticed. Method: plant one known bug at a time and play seeds until the check that is named for
 * it fires; a mutant that lives means that a promise is not watched.
 */
import { huntMutants } from './hunt-mutants.js';

huntMutants(0);
