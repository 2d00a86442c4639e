import type { Instant } from '@cairn/kernel';

const MS_PER_S = 1_000;

/** Seconds from one event to a later one of the same run; 0 if the wall clock jumped back between them. */
export function secondsBetween(from: Instant, to: Instant): number {
  return from === to ? 0 : Math.max(0, Date.parse(to) - Date.parse(from)) / MS_PER_S;
}
