import type { Evidence } from '@cairn/domain-definition';
import type { Normalised } from './normalise/failure.js';

/**
 * What a failure showed that no earlier attempt of its step had shown (C-WHYRETRY): of digest, code and the provider's time those that are
 * new. `earlier`: the new evidence of the decisions before, in which everything that was ever shown stands once.
 */
export function newEvidence({ digest, code, retryAfter }: Normalised, earlier: readonly Evidence[]): readonly Evidence[] {
  const fresh: Evidence = {
    ...(earlier.some((shown) => shown.digest === digest) ? {} : { digest }),
    ...(earlier.some((shown) => shown.code === code) ? {} : { code }),
    ...(retryAfter === undefined || earlier.some((shown) => shown.retryAfter === retryAfter) ? {} : { retryAfter }),
  };
  return Object.keys(fresh).length === 0 ? [] : [fresh];
}
