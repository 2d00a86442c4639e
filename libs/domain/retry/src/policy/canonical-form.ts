import { at, durationMs, type Problems } from '@cairn/domain-definition';
import type { RetryPolicyDocument } from './document.js';
import {
  ELAPSED_DEFAULT_MS,
  ELAPSED_MAX_MS,
  FACTOR_DEFAULT,
  JITTER_DEFAULT,
  PAUSE_MAX_MS,
  PAUSE_MIN_MS,
  PER_RUN_DEFAULT,
  PER_STEP_DEFAULT,
} from './limits.js';

type Loose = { readonly [field: string]: unknown };

/**
 * The canonical form of a policy that has its shape: durations in milliseconds, a value equal to its default left out. `limits` always stand in full: decisions cite them, and version 1 of `default` has them so. The canonical form of
 * a canonical form is itself. Durations out of their range are reported; parts that the shape refused are missing.
 */
export function canonicalForm(document: Loose, problems: Problems): RetryPolicyDocument {
  const limits = objectOf(document['limits']);
  return compact({
    cairn: 1,
    policy: document['policy'],
    buckets: Object.fromEntries(
      Object.entries(objectOf(document['buckets'])).map(([bucket, rules]) => [bucket, rulesForm(rules, at('/buckets', bucket), problems)]),
    ),
    limits: compact({
      perStep: limits['perStep'] ?? PER_STEP_DEFAULT,
      perRun: limits['perRun'] ?? PER_RUN_DEFAULT,
      elapsed: duration(limits['elapsed'], '/limits/elapsed', 1, ELAPSED_MAX_MS, problems) ?? ELAPSED_DEFAULT_MS,
      usd: limits['usd'],
    }),
    onExhausted: document['onExhausted'],
  }) as unknown as RetryPolicyDocument;
}

function rulesForm(rules: unknown, pointer: string, problems: Problems): unknown {
  if (!Array.isArray(rules)) return ruleForm(objectOf(rules), pointer, problems);
  return (rules as readonly unknown[]).map((rule, i) => ruleForm(objectOf(rule), at(pointer, i), problems));
}

function ruleForm(rule: Loose, pointer: string, problems: Problems): Loose {
  return compact({
    ...rule,
    backoff: rule['backoff'] === undefined ? undefined : pauseForm(objectOf(rule['backoff']), at(pointer, 'backoff'), problems),
    elapsed: duration(rule['elapsed'], at(pointer, 'elapsed'), 1, ELAPSED_MAX_MS, problems),
    needsNewEvidence: unless(rule['needsNewEvidence'], false),
    where: unless(rule['where'], 'true'),
  });
}

function pauseForm(pause: Loose, pointer: string, problems: Problems): Loose {
  const byElse = pause['else'];
  return compact({
    ...pause,
    ...backoffForm(pause, pointer, problems),
    else: byElse === undefined ? undefined : compact(backoffForm(objectOf(byElse), at(pointer, 'else'), problems)),
  });
}

function backoffForm(backoff: Loose, pointer: string, problems: Problems): Loose {
  const pause = (field: string): number | undefined => duration(backoff[field], at(pointer, field), PAUSE_MIN_MS, PAUSE_MAX_MS, problems);
  return {
    kind: backoff['kind'],
    first: pause('first'),
    cap: unless(pause('cap'), PAUSE_MAX_MS),
    factor: backoff['kind'] === 'exponential' ? unless(backoff['factor'], FACTOR_DEFAULT) : backoff['factor'],
    jitter: unless(backoff['jitter'], JITTER_DEFAULT),
  };
}

function duration(value: unknown, pointer: string, min: number, max: number, problems: Problems): number | undefined {
  if (value === undefined) return undefined;
  const ms = durationMs(value);
  if (ms !== undefined && ms >= min && ms <= max) return ms;
  problems.error(pointer, 'duration', `a duration of ${min} to ${max} milliseconds`);
  return undefined;
}

const unless = (value: unknown, byDefault: unknown): unknown => (value === byDefault ? undefined : value);

/** Without the members that are not there. */
const compact = (fields: Loose): Loose => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const objectOf = (value: unknown): Loose => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {});
