import { canon, type Json } from '@cairn/kernel';
import { verdictsByDefault } from './build-review.js';
import { verdicts, type Definition, type Verdict } from './document.js';
import { durationMs } from './duration.js';
import {
  BRANCHES_DEFAULT,
  DURATION_MAX_MS,
  EFFECT_RISK_DEFAULT,
  KEEP_DEFAULT_MS,
  KEEP_MAX_MS,
  LEASE_DEFAULT_MS,
  LEASE_MAX_MS,
  LEASE_MIN_MS,
  LOOK_BACK_MAX_MS,
  OCCURRENCES_DEFAULT,
  RECEIPT_TTL_DEFAULT_MS,
  RISK_DEFAULT,
  RUN_AGE_DEFAULT_MS,
  SHORT_RUN_AGE_MS,
  TIMEOUT_DEFAULT_MS,
} from './limits.js';
import { at, WHOLE } from './pointer.js';
import type { Problems } from './problems.js';

type Loose = { readonly [field: string]: unknown };
type Fields = { [field: string]: unknown };

/**
 * The canonical form of a document that has its shape (`history.md` §3): defaults left out, durations in milliseconds, `after` only where
 * it differs from the step above. The canonical form of a canonical form is itself. Durations out of their range are reported.
 */
export function canonicalForm(document: Loose, problems: Problems): Definition {
  const retry = document['retry'] ?? 'default';
  const short = document['class'] === 'short';
  const limits = objectOf(document['limits']);
  return compact({
    cairn: 1,
    name: document['name'],
    version: document['version'],
    goal: document['goal'],
    class: unless(document['class'], 'standard'),
    input: schemaForm(document['input']),
    output: outputForm(document['output']),
    on: emptyOut(listOf(document['on']).map((start, i) => startForm(start, at('/on', i), problems))),
    attributes: emptyOut(document['attributes']),
    steps: stepForms(document['steps'], '/steps', retry, problems),
    reduced: emptyOut(
      listOf(document['reduced']).map((path, i) =>
        compact({
          id: path['id'],
          drops: Array.isArray(path['drops']) ? path['drops'] : [],
          steps: stepForms(path['steps'], at('/reduced', i, 'steps'), retry, problems),
          summary: path['summary'],
        }),
      ),
    ),
    retry: unless(document['retry'], 'default'),
    limits: emptyOut(
      compact({
        age: unless(
          duration(limits['age'], '/limits/age', problems, { max: short ? SHORT_RUN_AGE_MS : DURATION_MAX_MS }),
          short ? SHORT_RUN_AGE_MS : RUN_AGE_DEFAULT_MS,
        ),
        occurrences: unless(limits['occurrences'], OCCURRENCES_DEFAULT),
        branches: unless(limits['branches'], BRANCHES_DEFAULT),
      }),
    ),
    waive: emptyOut(document['waive']),
  }) as unknown as Definition;
}

/** The steps of a workflow, or of a reduced path: each list begins for itself. */
function stepForms(list: unknown, pointer: string, workflowRetry: unknown, problems: Problems): readonly Fields[] {
  let above: string | undefined;
  return listOf(list).map((step, i) => {
    const fields = stepForm(step, at(pointer, i), above, workflowRetry, problems);
    if (step['side'] !== true && typeof step['id'] === 'string') above = step['id'];
    return fields;
  });
}

function stepForm(step: Loose, pointer: string, above: string | undefined, workflowRetry: unknown, problems: Problems): Fields {
  const defaultAfter = step['side'] === true || above === undefined ? [] : [above];
  const repeat = step['repeat'] === undefined ? undefined : objectOf(step['repeat']);
  const emit = step['emit'] === undefined ? undefined : objectOf(step['emit']);
  return compact({
    id: step['id'],
    purpose: step['purpose'],
    after: unless(step['after'], defaultAfter),
    join: unless(step['join'], 'all'),
    when: unless(step['when'], 'true'),
    side: unless(step['side'], false),
    optional: unless(step['optional'], false),
    input: unless(step['input'], {}),
    params: unless(step['params'], {}),
    output: schemaForm(step['output']),
    retry: unless(step['retry'], workflowRetry),
    fallback: step['fallback'] === undefined ? undefined : emptyOut(fallbackForm(step['fallback'], step['params'])),
    timeout: unless(duration(step['timeout'], at(pointer, 'timeout'), problems), TIMEOUT_DEFAULT_MS),
    lease: unless(duration(step['lease'], at(pointer, 'lease'), problems, { min: LEASE_MIN_MS, max: LEASE_MAX_MS }), LEASE_DEFAULT_MS),
    risk: unless(step['risk'], step['effect'] === undefined ? RISK_DEFAULT : EFFECT_RISK_DEFAULT),
    checkpoint: step['checkpoint'],
    repeat: repeat && compact({ ...repeat, pause: duration(repeat['pause'], at(pointer, 'repeat', 'pause'), problems) }),
    task: step['task'],
    decide: step['decide'],
    effect: step['effect'] === undefined ? undefined : effectForm(objectOf(step['effect'])),
    wait: step['wait'] === undefined ? undefined : waitForm(objectOf(step['wait']), at(pointer, 'wait'), problems),
    review: step['review'] === undefined ? undefined : reviewForm(objectOf(step['review']), at(pointer, 'review'), problems),
    emit: emit && compact({ ...emit, data: unless(emit['data'], {}) }),
  });
}

/** Params that are the step's own are left out. What was refused stays null: the others keep their places. */
function fallbackForm(list: unknown, params: unknown): unknown {
  if (!Array.isArray(list)) return undefined;
  return (list as readonly unknown[]).map((one) => {
    if (one === null) return null;
    const { queue, params: own } = objectOf(one);
    return compact({ queue, params: unless(own, params ?? {}) });
  });
}

/** `guarantee` stays as it was said: one who says none has thought of it, one who is silent is asked to. */
function effectForm(effect: Loose): Fields {
  return compact({ ...effect, fields: unless(effect['fields'], [WHOLE]) });
}

function waitForm(wait: Loose, pointer: string, problems: Problems): Fields {
  const triggers = (list: unknown, where: string): unknown =>
    list === undefined ? undefined : listOf(list).map((trigger, i) => triggerForm(trigger, at(where, i), problems));
  const atLeast = wait['atLeast'] === undefined ? undefined : objectOf(wait['atLeast']);
  const lookBack = wait['lookBack'];
  return compact({
    any: triggers(wait['any'], at(pointer, 'any')),
    all: triggers(wait['all'], at(pointer, 'all')),
    atLeast: atLeast && { ...atLeast, of: triggers(atLeast['of'] ?? [], at(pointer, 'atLeast', 'of')) },
    deadline: durationOrAt(wait['deadline'], at(pointer, 'deadline'), problems),
    noDeadline: wait['noDeadline'],
    onDeadline: wait['onDeadline'],
    staleAfter: duration(wait['staleAfter'], at(pointer, 'staleAfter'), problems),
    staleReview: wait['staleReview'],
    guard: unless(wait['guard'], 'true'),
    lookBack:
      lookBack === 'none'
        ? 'none'
        : lookBack === 'run'
          ? undefined
          : duration(lookBack, at(pointer, 'lookBack'), problems, { max: LOOK_BACK_MAX_MS }),
    keepOpen: unless(wait['keepOpen'], false),
  });
}

/** A list of verdicts says what follows each by default; so the map of those says the same. */
function reviewForm(review: Loose, pointer: string, problems: Problems): Fields {
  const said: unknown = review['verdicts'];
  const map = Array.isArray(said)
    ? Object.fromEntries(
        (said as readonly unknown[])
          .filter((verdict): verdict is Verdict => (verdicts as readonly unknown[]).includes(verdict))
          .map((verdict) => [verdict, verdictsByDefault[verdict]]),
      )
    : said;
  const quorum = objectOf(review['quorum']);
  return compact({
    ...review,
    verdicts: unless(map, verdictsByDefault),
    authorises: unless(review['authorises'], []),
    editable: unless(review['editable'], []),
    candidates: unless(review['candidates'], []),
    quorum: emptyOut(compact({ of: unless(quorum['of'], 1), notSameAs: unless(quorum['notSameAs'], []) })),
    deadline: duration(review['deadline'], at(pointer, 'deadline'), problems),
    onDeadline: unless(review['onDeadline'], 'escalate'),
    escalate: emptyOut(
      listOf(review['escalate']).map((level, i) =>
        compact({ ...level, after: duration(level['after'], at(pointer, 'escalate', i, 'after'), problems) }),
      ),
    ),
    receiptTtl: unless(duration(review['receiptTtl'], at(pointer, 'receiptTtl'), problems), RECEIPT_TTL_DEFAULT_MS),
    evidence: unless(review['evidence'], []),
  });
}

function triggerForm(trigger: Loose, pointer: string, problems: Problems): Fields {
  const event = trigger['event'] === undefined ? undefined : objectOf(trigger['event']);
  return compact({
    event:
      event &&
      compact({ ...event, where: unless(event['where'], 'true'), keep: keepForm(event['keep'], at(pointer, 'event', 'keep'), problems) }),
    signal: trigger['signal'],
    callback:
      trigger['callback'] === undefined
        ? undefined
        : compact({ ...objectOf(trigger['callback']), schema: schemaForm(objectOf(trigger['callback'])['schema']) }),
    timer: durationOrAt(trigger['timer'], at(pointer, 'timer'), problems),
  });
}

function startForm(start: Loose, pointer: string, problems: Problems): Fields {
  return compact({
    ...start,
    where: unless(start['where'], 'true'),
    input: unless(start['input'], '${event.data}'),
    keep: keepForm(start['keep'], at(pointer, 'keep'), problems),
    duplicates: unless(start['duplicates'], 'attach'),
  });
}

const keepForm = (value: unknown, pointer: string, problems: Problems): unknown =>
  unless(duration(value, pointer, problems, { max: KEEP_MAX_MS }), KEEP_DEFAULT_MS);

function outputForm(value: unknown): unknown {
  if (value === undefined) return undefined;
  const output = objectOf(value);
  return emptyOut(compact({ ...output, schema: schemaForm(output['schema']) }));
}

/** A schema without `$schema`, which says nothing here; one that accepts everything is the default. */
function schemaForm(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return unless(schema, true);
  const { $schema: _, ...rest } = schema as Loose;
  return emptyOut(rest);
}

function durationOrAt(value: unknown, pointer: string, problems: Problems): unknown {
  return typeof value === 'object' && value !== null ? value : duration(value, pointer, problems);
}

function duration(value: unknown, pointer: string, problems: Problems, range: { min?: number; max?: number } = {}): number | undefined {
  if (value === undefined || value === null) return undefined;
  const { min = 1, max = DURATION_MAX_MS } = range;
  const ms = durationMs(value);
  if (ms !== undefined && ms >= min && ms <= max) return ms;
  problems.error(
    pointer,
    'duration',
    `a duration of ${min} to ${max} milliseconds: 10s, 5m, 2h, 14d, ISO 8601 without months and years, or whole milliseconds`,
  );
  return ms;
}

/** `undefined` for a value that equals its default. */
function unless<T>(value: T, byDefault: unknown): T | undefined {
  return value === undefined || value === byDefault || canon(value) === canon(byDefault) ? undefined : value;
}

function emptyOut(value: unknown): unknown {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? undefined : value;
}

/** Without the members that are not there. */
function compact(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

const objectOf = (value: unknown): Loose => (typeof value === 'object' && value !== null ? (value as Loose) : {});
const listOf = (value: unknown): readonly Loose[] => (Array.isArray(value) ? (value as readonly Json[]).map(objectOf) : []);
