import { matchTrigger } from '@cairn/domain-definition';
import { NEAR_MISSES_MAX, type NearMissLine } from '@cairn/domain-schedule';
import type { OpenWait } from '../working-set/open-waits.js';
import { inboundEventOf, type Inbound } from './inbound.js';
import { matchWait } from './wakes.js';

/** Waits that one event is compared with at most: a near miss is a courtesy to people and must not stop the intake. */
const SCANNED_MAX = 10_000;

/** Waits of the right type that exactly one further clause kept closed, the first few. Only for events that did nothing. */
export function nearMissesOf(inbound: Inbound, waits: Iterable<OpenWait>): NearMissLine[] {
  const misses: NearMissLine[] = [];
  const seen = new Set<OpenWait>();
  for (const wait of waits) {
    if (misses.length === NEAR_MISSES_MAX || seen.size === SCANNED_MAX) break;
    if (seen.has(wait)) continue;
    seen.add(wait);
    const match = matchWait(wait, inbound);
    const miss = 'trigger' in match ? undefined : (match.miss ?? lacksKey(wait, inbound));
    if (miss !== undefined) misses.push(miss);
  }
  return misses;
}

/** An event without a key is as near as can be to a wait that wants one and has no other objection. */
function lacksKey(wait: OpenWait, inbound: Inbound): NearMissLine | undefined {
  if (inbound.receipt.event.key !== undefined) return undefined;
  const event = inboundEventOf(inbound);
  for (const trigger of wait.triggers) {
    if (trigger.kind !== 'event' || trigger.key === undefined) continue;
    const { key: expected, ...rest } = trigger;
    if (matchTrigger(rest, event).kind === 'match') return { run: wait.runId, wait: wait.step, clause: 'key', expected, got: null };
  }
  return undefined;
}
