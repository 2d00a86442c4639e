import { buckets, CEL_SOURCE_MAX, DURATION_PATTERN, expectations, NOT_YET } from '@cairn/domain-definition';
import type { JsonObject } from '@cairn/kernel';
import {
  ATTEMPTS_MAX,
  BUCKETS_MAX,
  CODE_MAX,
  CODES_MAX,
  ELAPSED_MAX_MS,
  EXHAUSTED_MAX,
  FACTOR_MAX,
  MODIFY_MAX,
  PAUSE_MAX_MS,
  PAUSE_MIN_MS,
  PER_RUN_MAX,
  PER_STEP_MAX,
  RULES_MAX,
} from './limits.js';

/**
 * JSON Schema 2020-12 of a retry policy as people write it (`capabilities.md` §3.5). What this release does not do carries `x-not-yet`;
 * what spans fields (a retry's completeness, the end of `onExhausted`, the sum of all pauses) is checked beside it, in `lint.ts`.
 */
const object = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...(required.length === 0 ? {} : { required }),
});
const integer = (minimum: number, maximum: number): JsonObject => ({ type: 'integer', minimum, maximum });
const number = (minimum: number, maximum: number): JsonObject => ({ type: 'number', minimum, maximum });
const notYet = (name: string): JsonObject => ({ [NOT_YET]: name });

const name: JsonObject = {
  type: 'string',
  pattern: '^[a-z][a-z0-9-]{0,62}$',
  description: 'a name: a lower-case letter, then letters, digits and -, at most 63 characters',
};
const bucket: JsonObject = {
  type: 'string',
  pattern: `^(${buckets.join('|')}|x-[a-z0-9][a-z0-9_-]{0,60})$`,
  description: 'a kind of failure, or an own one that starts with x-',
};
const duration = (minimum: number, maximum: number): JsonObject => ({
  type: ['string', 'integer'],
  pattern: DURATION_PATTERN,
  description: 'a duration: 250ms 10s 5m 2h 14d, ISO 8601 without months and years, or whole milliseconds',
  minimum,
  maximum,
});

const backoffFields: JsonObject = {
  kind: { enum: ['fixed', 'linear', 'exponential'] },
  first: duration(PAUSE_MIN_MS, PAUSE_MAX_MS),
  factor: number(1, FACTOR_MAX),
  cap: duration(PAUSE_MIN_MS, PAUSE_MAX_MS),
  jitter: number(0, 1),
};
const pause: JsonObject = object({
  ...backoffFields,
  from: { const: 'retryAfter' },
  else: object(backoffFields),
  window: notYet('backoff window'),
});

/** Of a JSON Patch what a reader understands by itself: `move` and `copy` do not say what they put where. */
const change: JsonObject = object(
  {
    op: { enum: ['add', 'replace', 'remove', 'test'] },
    path: {
      type: 'string',
      maxLength: 512,
      pattern: '^/(input|params|queue)(/([^/~]|~[01])*)*$',
      description: 'a JSON pointer into the work of the attempt: /input/…, /params/… or /queue',
    },
    value: {},
  },
  ['op', 'path'],
);

const rule: JsonObject = object(
  {
    retry: { enum: [true, false, 'modified'] },
    attempts: integer(1, ATTEMPTS_MAX),
    expects: { enum: [...expectations] },
    backoff: pause,
    elapsed: duration(1, ELAPSED_MAX_MS),
    needsNewEvidence: { type: 'boolean' },
    escalate: name,
    codes: {
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: CODE_MAX },
      minItems: 1,
      maxItems: CODES_MAX,
      uniqueItems: true,
    },
    where: { type: 'string', minLength: 1, maxLength: CEL_SOURCE_MAX },
    modify: { type: 'array', items: change, minItems: 1, maxItems: MODIFY_MAX },
  },
  ['retry'],
);

export const policySchema: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Cairn retry policy',
  ...object(
    {
      cairn: { const: 1 },
      policy: name,
      buckets: {
        type: 'object',
        propertyNames: bucket,
        maxProperties: BUCKETS_MAX,
        additionalProperties: { ...rule, type: ['object', 'array'], items: rule, minItems: 1, maxItems: RULES_MAX },
      },
      limits: object({
        perStep: integer(1, PER_STEP_MAX),
        perRun: integer(1, PER_RUN_MAX),
        elapsed: duration(1, ELAPSED_MAX_MS),
        usd: { type: 'number', minimum: 0 },
      }),
      onExhausted: {
        type: 'array',
        maxItems: EXHAUSTED_MAX,
        items: {
          ...object({ review: name }, ['review']),
          type: ['string', 'object'],
          pattern: '^(fallback|reduce(:[a-z][a-z0-9-]{0,62})?|block|give_up)$',
          description: 'fallback, reduce, reduce:<id>, {review: queue}, block or give_up',
        },
      },
      fleet: notYet('fleet'),
    },
    ['cairn', 'policy', 'buckets'],
  ),
};
