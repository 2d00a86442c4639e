import { policyNamed } from '@cairn/oracle';
import type { RecordedRunEvent } from '@cairn/domain-run';
import { epochMsOf, type StoredEvent } from '@cairn/kernel';

/** The longest pause of the workloads' policies with its jitter: so close to `elapsed` a next try would come too late. */
const PAUSE_MS = 3_000;

/** Why a run is where no run without faults would be. */
export type Excuse = 'cancelled' | 'retries exhausted' | 'unknown effect blocked';

/**
 * What faults may do to a run's outcome, told from its history: somebody ended it, it failed as often as its policy bears, or nobody
 * knows whether its effect happened. `undefined`: nothing excuses it.
 */
export function excuseOf(stored: readonly StoredEvent[], policies: readonly StoredEvent[]): Excuse | undefined {
  const events = stored as readonly unknown[] as readonly RecordedRunEvent[];
  if (events.some(({ type }) => type === 'RunCancelled')) return 'cancelled';
  const failed = new Map<string, { count: number; first: string }>();
  const unknown = new Set<string>();
  let failures = 0;
  for (const event of events) {
    if (event.type === 'EffectUnknown') unknown.add(event.data.attemptId);
    // A person went back over an effect of which nobody knows: it is not made again, and people are asked.
    if (event.type === 'StepFailed' && event.data.failure.message.endsWith('it is unknown whether it happened'))
      return 'unknown effect blocked';
    if (event.type === 'StepFailed') {
      failures += 1;
      const before = failed.get(event.data.step);
      failed.set(event.data.step, { count: (before?.count ?? 0) + 1, first: before?.first ?? event.at });
    }
    if (event.type !== 'RetryDecided' || event.data.decision === 'retry') continue;
    const { step, attemptId, bucket, policy } = event.data;
    if (bucket === 'effect_unknown' && unknown.has(attemptId)) return 'unknown effect blocked';
    const named = policyNamed(policies, stored[0]?.metadata.ns ?? '', policy);
    const tries = failed.get(step);
    const [rule] = named?.retriesOf(bucket).toSorted((a, b) => a.attempts - b.attempts) ?? [];
    if (named === undefined || rule === undefined || tries === undefined) continue;
    const { perStep, perRun, elapsed } = named.limits;
    if (tries.count >= Math.min(rule.attempts, perStep) || failures >= perRun) return 'retries exhausted';
    if (epochMsOf(event.at) - epochMsOf(tries.first) + PAUSE_MS > elapsed) return 'retries exhausted';
  }
  return undefined;
}
