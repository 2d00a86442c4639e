import type { BranchForecast } from '@cairn/contracts';
import { parseOccurrence } from '@cairn/domain-run';
import { epochMsOf, type Id } from '@cairn/kernel';
import type { RunReader } from '../queries/run-reader.js';
import type { WholeRun } from '../queries/whole-run.js';
import type { ReadModels } from '../readmodels/read-models.js';
import type { RunRow } from '../readmodels/run-row.js';
import { eventsOn, pathOf } from './diff.js';
import { secondsOf, stepsOf } from './path-steps.js';

/** Ended runs that a forecast is drawn from at most: each is read whole, and more would tell little more. */
const SAMPLE_MAX = 20;
/** Events of all of them together: somebody waits for the plan, and a run may have 100,000. */
const EVENTS_MAX = 20_000;
/** Runs that are looked through for them. */
const LOOKED_AT_MAX = 10_000;
const SHARE_DIGITS = 100;
const USD_DIGITS = 1e6;

export interface ForecastParts {
  readonly reader: RunReader;
  readonly models: ReadModels;
}

/**
 * What the part of the workflow that is not kept has cost and taken in runs that have ended (`capabilities.md` §6): the median of each, and how
 * many of those runs completed. From recorded history alone, which says nothing of what the changes do; without any it says so.
 */
export async function forecastOf(
  { reader, models }: ForecastParts,
  { row, keeps }: { readonly row: RunRow; readonly keeps: readonly string[] },
): Promise<BranchForecast> {
  const kept = new Set(keeps.map((occurrence) => parseOccurrence(occurrence).step));
  const seen: { readonly usd: number; readonly seconds: number; readonly completed: boolean }[] = [];
  for (const run of endedLike(models, row)) {
    const rest = restOf(await reader.whole(row.ns, run), kept);
    if (rest !== undefined) seen.push(rest);
  }
  if (seen.length === 0) return { usd: null, seconds: null, sample: 0, completed: null };
  const completed = seen.filter((one) => one.completed).length / seen.length;
  return {
    usd: Math.round(median(seen.map(({ usd }) => usd)) * USD_DIGITS) / USD_DIGITS,
    seconds: median(seen.map(({ seconds }) => seconds)),
    sample: seen.length,
    completed: Math.round(completed * SHARE_DIGITS) / SHARE_DIGITS,
  };
}

/** Other runs of the workflow that have ended here, the newest first. */
function endedLike(models: ReadModels, { ns, workflow, run }: RunRow): Id[] {
  const found: Id[] = [];
  let looked = 0;
  let events = 0;
  models.newestFirst(undefined, (row) => {
    looked += 1;
    const isLike = row.ns === ns && row.workflow === workflow && row.run !== run && row.endedAt !== undefined && row.imported === undefined;
    if (isLike && events + row.revision <= EVENTS_MAX) {
      found.push(row.run);
      events += row.revision;
    }
    return found.length < SAMPLE_MAX && looked < LOOKED_AT_MAX;
  });
  return found;
}

/** Of a run that came as far: what everything behind the kept steps cost, and how long it took to the run's end. */
function restOf(whole: WholeRun, kept: ReadonlySet<string>): { usd: number; seconds: number; completed: boolean } | undefined {
  const { row, head } = whole;
  const events = eventsOn(whole, pathOf(whole, head));
  const isRest = (occurrence: unknown): boolean => typeof occurrence === 'string' && !kept.has(parseOccurrence(occurrence).step);
  const first = events.find(({ data }) => isRest((data as { readonly step?: unknown }).step));
  if (first === undefined || row.endedAt === undefined) return undefined;
  let usd = 0;
  for (const [occurrence, step] of stepsOf(events)) if (isRest(occurrence)) usd += step.usd;
  const seconds = secondsOf(epochMsOf(row.endedAt) - epochMsOf(first.at));
  return { usd, seconds, completed: row.sub === 'succeeded' || row.sub === 'reduced' };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
