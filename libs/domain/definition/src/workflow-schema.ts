import type { JsonObject } from '@cairn/kernel';
import { buckets } from './buckets.js';
import { DURATION_PATTERN } from './duration.js';
import { risks, verdicts } from './document.js';
import { NOT_YET } from './json-schema.js';
import {
  CHOICES_MAX,
  CHOICES_MIN,
  ATTRIBUTES_MAX,
  BRANCHES_MAX,
  CANDIDATES_MAX,
  CEL_SOURCE_MAX,
  DURATION_MAX_MS,
  EFFECT_FIELDS_MAX,
  ESCALATIONS_MAX,
  EVIDENCE_MAX,
  FALLBACKS_MAX,
  OCCURRENCES_MAX,
  POINTER_MAX,
  QUESTION_MAX,
  QUORUM_MAX,
  REDUCED_MAX,
  REDUCED_STEPS_MAX,
  REPEAT_MAX,
  STEPS_MAX,
  TRIGGERS_MAX,
} from './limits.js';
import { POINTER_PATTERN } from './pointer.js';

/**
 * JSON Schema 2020-12 of a workflow as authors write it (`capabilities.md` §3.1-§3.2). It knows every kind and field of the language;
 * what this release does not run carries `x-not-yet`. Rules that span fields (exactly one kind, references, lint) are beside it, in code.
 * Unions are written without `oneOf`: keywords of JSON Schema speak of one type each, and so errors stay readable.
 */
const text = (max: number): JsonObject => ({ type: 'string', minLength: 1, maxLength: max });
const flag: JsonObject = { type: 'boolean' };
const any: JsonObject = {};
const userSchema: JsonObject = { type: ['object', 'boolean'] };
const expression: JsonObject = text(CEL_SOURCE_MAX);
const template: JsonObject = { type: 'string', minLength: 1, maxLength: 4096 };
const notYet = (name: string): JsonObject => ({ [NOT_YET]: name });

const name: JsonObject = {
  type: 'string',
  pattern: '^[a-z][a-z0-9-]{0,62}$',
  description: 'a name: a lower-case letter, then letters, digits and -, at most 63 characters',
};
const policyName: JsonObject = {
  type: 'string',
  pattern: '^[a-z][a-z0-9-]{0,62}(@[1-9][0-9]{0,8})?$',
  description: 'the name of a policy, or name@version',
};
const eventType: JsonObject = {
  type: 'string',
  maxLength: 200,
  pattern: '^[a-z0-9_-]+(\\.[a-z0-9_-]+){0,7}$',
  description: 'an event type: at most 8 tokens of a-z 0-9 _ - with dots between',
};
const bucket: JsonObject = {
  type: 'string',
  pattern: `^(${buckets.join('|')}|x-[a-z0-9][a-z0-9_-]{0,60})$`,
  description: 'a kind of failure, or an own one that starts with x-',
};
const object = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...(required.length === 0 ? {} : { required }),
});
const list = (items: JsonObject, maxItems: number, minItems = 0): JsonObject => ({ type: 'array', items, minItems, maxItems });
const names = (maxItems: number): JsonObject => ({ ...list(name, maxItems), uniqueItems: true });
const oneOf = (...values: readonly string[]): JsonObject => ({ enum: values });

/** A duration, or beside it an object of the given fields. */
const duration: JsonObject = {
  type: ['string', 'integer'],
  pattern: DURATION_PATTERN,
  description: 'a duration: 250ms 10s 5m 2h 14d, ISO 8601 without months and years, or whole milliseconds',
  minimum: 1,
  maximum: DURATION_MAX_MS,
};
const durationOrAt: JsonObject = { ...duration, ...object({ at: template }, ['at']), type: ['string', 'integer', 'object'] };

const trigger: JsonObject = object({
  event: object({ type: eventType, key: template, where: expression, from: list(text(512), 20, 1), keep: duration }, ['type']),
  signal: name,
  timer: durationOrAt,
  callback: object({ name, schema: userSchema }, ['name']),
  child: notYet('trigger child'),
  window: notYet('trigger window'),
  mayResume: notYet('mayResume'), // A list of senders that nobody authenticates would only look like protection.
});
const triggers = list(trigger, TRIGGERS_MAX, 1);

const wait: JsonObject = object({
  any: triggers,
  all: triggers,
  atLeast: object({ k: { type: 'integer', minimum: 1, maximum: TRIGGERS_MAX }, of: triggers }, ['k', 'of']),
  deadline: durationOrAt,
  noDeadline: object({ because: text(280) }, ['because']),
  onDeadline: { ...object({ step: name, value: any, fail: bucket, giveUp: { const: true } }), minProperties: 1, maxProperties: 1 },
  staleAfter: duration,
  staleReview: name,
  guard: expression,
  lookBack: { ...duration, pattern: `^(run|none)$|${DURATION_PATTERN}`, description: 'run, none or a duration' },
  keepOpen: flag,
});

const pointer: JsonObject = {
  type: 'string',
  maxLength: POINTER_MAX,
  pattern: POINTER_PATTERN,
  description: 'a JSON pointer: /amount, /items/0/price, with ~1 for a / and ~0 for a ~ in a name',
};

const effect: JsonObject = object(
  {
    queue: name,
    key: template,
    fields: { ...list(pointer, EFFECT_FIELDS_MAX, 1), uniqueItems: true },
    guarantee: oneOf('none', 'reconcile', 'idempotent'),
    reconcile: name,
    compensate: name,
    stub: any,
  },
  ['queue', 'key'],
);

const person: JsonObject = {
  type: 'string',
  pattern: '^(user|group):[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$',
  description: 'a person or a group: user:ana, group:cfo',
};
const outcome: JsonObject = {
  type: 'string',
  pattern: '^(continue|stop|skip|again|fallback|give_up|branch|reduce(:[a-z][a-z0-9-]{0,62})?|step:[a-z][a-z0-9-]{0,62})$',
  description: 'what follows: continue, stop, skip, again, fallback, reduce, reduce:<id>, give_up, branch or step:<side step>',
};

const review: JsonObject = object(
  {
    queue: name,
    question: text(QUESTION_MAX),
    // A list, or what follows by verdict.
    verdicts: {
      type: ['array', 'object'],
      items: oneOf(...verdicts),
      uniqueItems: true,
      minItems: 1,
      properties: Object.fromEntries(verdicts.map((verdict) => [verdict, outcome])),
      additionalProperties: false,
      minProperties: 1,
    },
    authorises: names(STEPS_MAX),
    editable: { ...list(pointer, EFFECT_FIELDS_MAX), uniqueItems: true },
    candidates: { ...list(person, CANDIDATES_MAX), uniqueItems: true },
    quorum: object({
      of: { type: 'integer', minimum: 1, maximum: QUORUM_MAX },
      notSameAs: {
        ...list(
          {
            type: 'string',
            pattern: '^(branch\\.actor|run\\.starter|step:[a-z][a-z0-9-]{0,62})$',
            description: 'branch.actor, run.starter or step:<id>',
          },
          QUORUM_MAX,
        ),
        uniqueItems: true,
      },
    }),
    deadline: duration,
    onDeadline: {
      type: 'string',
      pattern: '^(escalate|stop|block|step:[a-z][a-z0-9-]{0,62})$',
      description: 'escalate, stop, block or step:<side step>; silence never approves',
    },
    escalate: list(object({ to: person, after: duration }, ['to', 'after']), ESCALATIONS_MAX),
    receiptTtl: duration,
    evidence: list(any, EVIDENCE_MAX),
  },
  ['queue', 'question'],
);

const step: JsonObject = object(
  {
    id: name,
    purpose: text(280),
    after: names(STEPS_MAX),
    join: { type: ['string', 'integer'], pattern: '^(all|any)$', description: 'all, any or a number', minimum: 1, maximum: STEPS_MAX },
    when: expression,
    side: flag,
    optional: flag,
    input: any,
    params: any,
    output: userSchema,
    retry: policyName,
    fallback: { ...list(object({ queue: name, params: any }, ['queue']), FALLBACKS_MAX), uniqueItems: true },
    timeout: duration,
    lease: duration,
    risk: oneOf(...risks),
    checkpoint: name,
    repeat: object({ until: expression, max: { type: 'integer', minimum: 1, maximum: REPEAT_MAX }, pause: duration }, ['until']),
    task: object({ queue: name }, ['queue']),
    decide: object(
      { queue: name, choices: { type: 'array', items: name, minItems: CHOICES_MIN, maxItems: CHOICES_MAX, uniqueItems: true } },
      ['queue', 'choices'],
    ),
    effect,
    wait,
    review,
    emit: object({ type: eventType, key: template, data: any }, ['type']),
    agent: notYet('step kind agent'),
    map: notYet('step kind map'),
    run: notYet('step kind run'),
    assumes: notYet('assumes'),
    mustHold: notYet('mustHold'),
    budget: notYet('budget'),
    context: notYet('context'),
  },
  ['id'],
);

const start: JsonObject = object(
  {
    event: eventType,
    key: template,
    where: expression,
    input: any,
    keep: duration,
    duplicates: oneOf('attach', 'reject', 'new_run', 'branch'),
  },
  ['event'],
);

export const workflowSchema: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Cairn workflow',
  ...object(
    {
      cairn: { const: 1 },
      name,
      version: {
        type: 'string',
        maxLength: 64,
        pattern: '^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$',
        description: 'a version of three numbers, such as 3.2.0 (in YAML two numbers are a fraction: write all three)',
      },
      goal: text(1000),
      class: oneOf('short', 'standard', 'long'),
      input: userSchema,
      output: object({ schema: userSchema, value: any }),
      on: list(start, TRIGGERS_MAX),
      attributes: {
        type: 'object',
        maxProperties: ATTRIBUTES_MAX,
        propertyNames: name,
        additionalProperties: { type: ['string', 'number', 'boolean'], maxLength: 4096 },
      },
      steps: list(step, STEPS_MAX, 1),
      reduced: list(
        object({ id: name, drops: { ...names(STEPS_MAX), minItems: 1 }, steps: list(step, REDUCED_STEPS_MAX), summary: text(280) }, [
          'id',
          'drops',
          'steps',
          'summary',
        ]),
        REDUCED_MAX,
      ),
      retry: policyName,
      limits: object({
        age: duration,
        occurrences: { type: 'integer', minimum: 1, maximum: OCCURRENCES_MAX },
        branches: { type: 'integer', minimum: 1, maximum: BRANCHES_MAX },
      }),
      waive: list(object({ rule: text(63), step: name, because: text(280) }, ['rule', 'because']), 100),
      schedule: notYet('schedule'),
      notify: notYet('notify'),
      budget: notYet('budget'),
      giveUp: notYet('giveUp'),
    },
    ['cairn', 'name', 'version', 'steps'],
  ),
};
