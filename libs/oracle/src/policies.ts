import { normalise } from '@cairn/domain-retry';
import { epochMsOf, type JsonObject, type StoredEvent } from '@cairn/kernel';
import type { DataOf } from './branch.js';

type Pinned = DataOf<'RetryDecided'>['policy'];
type Failure = DataOf<'StepFailed'>['failure'];

/** Pauses and counts of `capabilities.md` §3.5, read here again: the oracle does not ask the judge whether it judged well. */
interface Backoff {
  readonly kind: 'fixed' | 'linear' | 'exponential';
  readonly first: number;
  readonly cap?: number;
  readonly factor?: number;
}

export interface RetryRule {
  readonly retry: true | 'modified';
  readonly attempts: number;
  readonly expects?: string;
  readonly elapsed?: number;
  /** Absent, where something else is tried: at once. */
  readonly backoff?: Backoff | { readonly from: 'retryAfter'; readonly else: Backoff };
}

interface PolicyDocument {
  readonly buckets: Readonly<Record<string, Rule | readonly Rule[]>>;
  readonly limits?: { readonly perStep?: number; readonly perRun?: number; readonly elapsed?: number };
}
type Rule = RetryRule | { readonly retry: false };

const FACTOR = 2;
/** A pause lasts a week at most. */
const CAP_MAX_MS = 7 * 86_400_000;
/** What a policy without limits of its own is bounded by. */
const LIMITS = { perStep: 8, perRun: 25, elapsed: 6 * 3_600_000 };

/** The policy version that a decision names, or `undefined` if it is not among those at hand. */
export function policyNamed(policies: readonly StoredEvent[], ns: string, { name, revision }: Pinned): Policy | undefined {
  const applied = policies.find((event) => event.stream === `policy-${ns}+${name}` && event.revision === revision);
  const document = applied?.data['policy'] as JsonObject | undefined;
  return document === undefined ? undefined : new Policy(document as unknown as PolicyDocument);
}

/** What one version of a policy allows. */
export class Policy {
  readonly limits: typeof LIMITS;

  constructor(private readonly document: PolicyDocument) {
    this.limits = { ...LIMITS, ...document.limits };
  }

  /** Rules under which failures of this bucket may be tried again: the same (`true`), or something else. */
  retriesOf(bucket: string, retry: RetryRule['retry'] = true): readonly RetryRule[] {
    const rules = [this.document.buckets[bucket] ?? []].flat() as readonly Rule[];
    return rules.filter((rule): rule is RetryRule => rule.retry === retry);
  }
}

/**
 * Milliseconds after the failure before which no rule lets attempt `n + 1` begin: the pause without its jitter, or the time that the
 * provider named.
 */
export function leastPauseMs({ backoff }: RetryRule, n: number, failedAt: string, failure: Failure): number {
  if (backoff === undefined) return 0;
  const named = 'from' in backoff ? normalise(failure, failedAt).retryAfter : undefined; // It may stand in a header.
  if (named !== undefined) return Math.min(Math.max(0, epochMsOf(named) - epochMsOf(failedAt)), CAP_MAX_MS);
  const { kind, first, cap = CAP_MAX_MS, factor = FACTOR } = 'from' in backoff ? backoff.else : backoff;
  const grown = kind === 'fixed' ? first : kind === 'linear' ? first * n : first * factor ** (n - 1);
  return Math.floor(Math.min(grown, cap));
}
