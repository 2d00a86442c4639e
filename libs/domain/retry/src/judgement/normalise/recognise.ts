import type { Bucket } from '@cairn/domain-definition';
import { generalBuckets, specificBuckets } from './codes.js';
import { isTransient } from './failure.js';
import { deniedBucket, hopelessBucket, passingBucket, saysLongWindow, saysPlanQuota, saysRateLimited, saysShortWindow } from './phrases.js';
import type { Signals } from './signals.js';
import { bucketOfStatus } from './status.js';

/**
 * What the signals show, the most telling first: a sentence that leaves no hope, a limit and of which kind, a code of the service, a
 * sentence that denies, the status, the name of the error, any other sentence. `undefined`: nobody knows.
 */
export function recognise(signals: Signals): Bucket | undefined {
  const { status, codes, text } = signals;
  const theirFault = status !== undefined && status >= 500; // Whatever such a page says, it is not about us.
  const hopeless = theirFault ? undefined : hopelessBucket(text);
  if (hopeless !== undefined) return hopeless;
  const said = mostTelling(specificBuckets(codes));
  if (status === 429 || said === 'rate_limited' || said === 'quota_exhausted' || saysRateLimited(text)) return limitOf(said, text, codes);
  if (said !== undefined) return said;
  const denied = theirFault ? undefined : deniedBucket(text);
  return denied ?? (status === undefined ? undefined : bucketOfStatus(status)) ?? generalBuckets(codes)[0] ?? passingBucket(text);
}

/** Services wrap the reason into something general: `PERMISSION_DENIED` around `BILLING_DISABLED`. */
const TELLING: ReadonlySet<Bucket> = new Set<Bucket>(['billing', 'quota_exhausted', 'context_length', 'content_refused', 'auth']);

function mostTelling(said: readonly Bucket[]): Bucket | undefined {
  return said.find((bucket) => TELLING.has(bucket)) ?? said.find((bucket) => isTransient(bucket) === false) ?? said[0];
}

/** A limit of rate passes by itself, a quota of a plan does not before somebody acts or the day is over. */
function limitOf(said: Bucket | undefined, text: string, codes: readonly string[]): Bucket {
  if (said !== undefined && said !== 'rate_limited' && isTransient(said) === false && said !== 'invalid_input') return said;
  const words = `${text} ${codes.join(' ').toLowerCase()}`;
  if (saysLongWindow(words) && !/try again in/.test(text)) return 'quota_exhausted';
  if (saysPlanQuota(text) && !saysShortWindow(words)) return 'quota_exhausted';
  return 'rate_limited';
}
