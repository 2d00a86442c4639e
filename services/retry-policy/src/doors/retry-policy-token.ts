/** What doors find the assembled service under. */
export const RETRY_POLICY: unique symbol = Symbol('RetryPolicy');
