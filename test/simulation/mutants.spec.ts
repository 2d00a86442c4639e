/**
 * Goal: a promise that is broken is noticed. Method: plant one known bug at a time and play seeds until the check that is named for
 * it fires; a mutant that lives means that a promise is not watched.
 */
import { describe, expect, it } from '@jest/globals';
import { huntMutant, mutants, MUTANT_SEEDS, type MutantId } from '@cairn/simulation';

const FROM = 1;
const WITHIN_MS = 480_000;

describe('a planted bug is found by the check that is named for it', () => {
  it.each(Object.entries(mutants).map(([id, { what, firesOneOf }]) => [id as MutantId, what, firesOneOf.join(' or ')] as const))(
    '%s, %s: %s',
    async (mutant) => {
      const hunt = await huntMutant(mutant, FROM);
      expect(hunt.caughtAt).toBeDefined();
      expect(hunt.seeds).toBeLessThanOrEqual(MUTANT_SEEDS);
    },
    WITHIN_MS,
  );
});
