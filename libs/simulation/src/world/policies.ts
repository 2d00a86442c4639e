import { compilePolicy } from '@cairn/domain-retry';
import { invariant, policyStream, sealAppend, type JsonObject, type StoredEvent } from '@cairn/kernel';
import type { AppendResult } from '@cairn/ports';
import { NS } from './names.js';
import type { World } from './world.js';

const again = (attempts: number, expects: string, first: number, more: object = {}): object => ({
  retry: true,
  attempts,
  expects,
  backoff: { kind: 'exponential', first, cap: '2s', ...more },
});
const provider = (attempts: number): object => ({
  retry: true,
  attempts,
  expects: 'provider_reset',
  backoff: { from: 'retryAfter', else: { kind: 'linear', first: 300 } },
});
const triage = { retry: false, escalate: 'triage' };

/** Policies that the workloads name. Their pauses are short: a world's time is dear. */
export const policies: Readonly<Record<string, readonly object[]>> = {
  /** Bears nearly everything; its second version bears little, and no run that pinned the first may notice. */
  patient: [
    {
      buckets: {
        handler_lost: again(20, 'another_handler', 100),
        timeout: again(20, 'time_passes', 200),
        network: again(20, 'time_passes', 200, { jitter: 0.5 }),
        upstream_5xx: [
          { ...again(20, 'dependency_recovers', 300), where: 'failure.message == "not now"' },
          again(19, 'dependency_recovers', 500),
        ],
        rate_limited: provider(20),
        conflict: again(3, 'time_passes', 100),
        unclassified: triage,
      },
      limits: { perStep: 50, perRun: 200, elapsed: '10m' },
      onExhausted: [{ review: 'recovery' }],
    },
    {
      buckets: {
        handler_lost: again(2, 'another_handler', 100),
        timeout: again(2, 'time_passes', 100),
        network: again(2, 'time_passes', 100),
        upstream_5xx: again(2, 'dependency_recovers', 100),
        rate_limited: provider(2),
        unclassified: triage,
      },
      onExhausted: ['block'],
    },
  ],
  /** Gives up after two tries. */
  curt: [
    {
      buckets: {
        handler_lost: again(2, 'another_handler', 100),
        network: again(2, 'time_passes', 100),
        upstream_5xx: again(2, 'dependency_recovers', 100),
        unclassified: triage,
      },
      limits: { perStep: 3, perRun: 4, elapsed: '1m' },
      onExhausted: ['fallback', 'give_up'],
    },
  ],
  /** Would go on by each bucket, and stops at its limits. */
  bounded: [
    {
      buckets: {
        handler_lost: again(20, 'another_handler', 100),
        network: again(20, 'time_passes', 100, { kind: 'fixed' }),
        conflict: again(20, 'time_passes', 900, { kind: 'fixed' }),
        unclassified: triage,
      },
      limits: { perStep: 4, perRun: 6, elapsed: '3s' },
      onExhausted: ['reduce', 'block'],
    },
  ],
  /** Bears losses, and knows other ways. */
  resourceful: [
    {
      buckets: {
        handler_lost: again(20, 'another_handler', 100),
        timeout: again(20, 'time_passes', 200),
        network: again(2, 'time_passes', 200),
        context_length: {
          ...again(20, 'changed_input', 100),
          retry: 'modified',
          modify: [{ op: 'replace', path: '/params/mended', value: true }],
        },
        unclassified: triage,
      },
      limits: { perStep: 50, perRun: 200, elapsed: '10m' },
      onExhausted: ['fallback', 'reduce', { review: 'recovery' }],
    },
  ],
  /** Tries again only for a reason that is new. */
  curious: [
    {
      buckets: {
        handler_lost: again(20, 'another_handler', 100),
        tool_error: { ...again(5, 'changed_input', 100), needsNewEvidence: true, escalate: 'tools' },
        unclassified: triage,
      },
      onExhausted: [{ review: 'recovery' }],
    },
  ],
};

export const policiesThatChange = Object.keys(policies).filter((name) => (policies[name]?.length ?? 0) > 1);

const applied = new Map<string, readonly StoredEvent[]>();

/**
 * Puts version `version` of a policy into the store, as retry-policy would have; one that is there, or has no earlier one, is left
 * alone. Compiled once for all seeds of a process.
 */
export async function putPolicy(world: World, name: string, version = 1): Promise<AppendResult> {
  const events = eventsOf(name);
  const event = events[version - 1];
  invariant(event !== undefined, `policy ${name} has no version ${version}`);
  return world.store.append(policyStream(NS, name), version === 1 ? 'no_stream' : version - 2, [event]);
}

function eventsOf(name: string): readonly StoredEvent[] {
  const known = applied.get(name);
  if (known !== undefined) return known;
  const stream = policyStream(NS, name);
  const events: StoredEvent[] = [];
  for (const [i, document] of (policies[name] ?? []).entries()) {
    const compiled = compilePolicy({ cairn: 1, policy: name, ...document });
    invariant(compiled.ok, `policy ${name}: ${compiled.ok ? '' : JSON.stringify(compiled.errors)}`);
    const data = { ns: NS, name, version: i + 1, hash: compiled.hash, policy: compiled.policy as unknown as JsonObject };
    const expected = i === 0 ? 'no_stream' : i - 1;
    const prevHash = events.at(-1)?.metadata.hash ?? '';
    const at = '2025-12-31T00:00:00.000Z';
    events.push(
      ...sealAppend({ stream, expected, prevHash, ns: NS, at, actor: 'user:sim', causationId: 'before' }, [
        { type: 'PolicyApplied', version: 1, data },
      ]),
    );
  }
  applied.set(name, events);
  return events;
}
