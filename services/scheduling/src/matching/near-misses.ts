import { NEAR_MISSES_MAX, type NearMissLine } from '@cairn/domain-schedule';
import type { OpenWait } from '../working-set/open-waits.js';
import type { Inbound } from './inbound.js';
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
    if ('miss' in match && match.miss !== undefined) misses.push(match.miss);
  }
  return misses;
}
