import { canon, sha256Hex } from '@cairn/kernel';
import type { ReviewSubject } from './events.js';

/** sha256 hex over everything that an approval covers. Assumptions are none in this release. */
export function subjectDigestOf(definition: string, { step, input, params, effect }: Omit<ReviewSubject, 'digest' | 'problem'>): string {
  return sha256Hex(canon({ assumptions: {}, definition, effect, input, params, step }));
}

/** Of one subject its digest, of several the digest of the list. */
export function digestOfSubjects(digests: readonly string[]): string {
  const [only] = digests;
  return only !== undefined && digests.length === 1 ? only : sha256Hex(canon(digests));
}
