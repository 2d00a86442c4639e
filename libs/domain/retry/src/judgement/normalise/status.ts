import type { Bucket } from '@cairn/domain-definition';

/** What an HTTP status says by itself (RFC 9110, RFC 6585, RFC 8470, and what services made of the rest). */
const BUCKETS: { readonly [status: number]: Bucket } = {
  401: 'auth',
  402: 'billing',
  403: 'permission',
  404: 'not_found',
  407: 'auth',
  408: 'timeout',
  409: 'conflict',
  410: 'not_found',
  423: 'conflict',
  425: 'network', // Sent too early over a connection that is resumed: the next one is another.
  429: 'rate_limited',
  451: 'permission',
  501: 'invalid_input', // The service will not learn it.
  505: 'invalid_input',
  511: 'auth',
};
/** Closed by the client, of another resource, failed for another request: they say nothing about this one. */
const SILENT: ReadonlySet<number> = new Set([421, 424, 499]);

export function bucketOfStatus(status: number): Bucket | undefined {
  const known = BUCKETS[status];
  if (known !== undefined) return known;
  if (status >= 500) return 'upstream_5xx';
  return SILENT.has(status) ? undefined : 'invalid_input';
}
