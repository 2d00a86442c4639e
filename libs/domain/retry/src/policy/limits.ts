/** Limits of the policy language (`capabilities.md` §3.5): no policy that is applied can retry without an end (C-BOUND, B-22). */

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
export const DAY_MS = 24 * HOUR_MS;

/** UTF-8 bytes of a policy in canonical form: it stands in one event, and every process that judges holds it. */
export const POLICY_BYTES_MAX = 65_536;
/** Buckets of one policy: ours and a team's own. */
export const BUCKETS_MAX = 100;
/** Rules of one bucket, codes of one rule: all are looked at for every failure. */
export const RULES_MAX = 20;
export const CODES_MAX = 50;
/** Characters of a failure's code. */
export const CODE_MAX = 128;
/** Ways on before the end of `onExhausted`: a fallback and every reduced scope. */
export const EXHAUSTED_MAX = 20;

/** Changes that one rule makes: more is another step. */
export const MODIFY_MAX = 20;

/** Attempts of a step by one bucket. More are no argument. */
export const ATTEMPTS_MAX = 20;
/** Shortest first pause: less is a loop. */
export const PAUSE_MIN_MS = 100;
/** Longest single pause, also of a provider's own time. */
export const PAUSE_MAX_MS = 7 * DAY_MS;
/** All pauses of a bucket together (B-22), and the longest `elapsed`. */
export const ELAPSED_MAX_MS = 30 * DAY_MS;
export const FACTOR_DEFAULT = 2;
export const FACTOR_MAX = 10;
export const JITTER_DEFAULT = 0.2;

export const PER_STEP_DEFAULT = 8;
export const PER_STEP_MAX = 50;
export const PER_RUN_DEFAULT = 25;
export const PER_RUN_MAX = 500;
export const ELAPSED_DEFAULT_MS = 6 * HOUR_MS;
