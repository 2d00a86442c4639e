import { branchCauses, runStateNames, TAIL_MIN, type Page, type RunView } from '@cairn/contracts';
import { buckets, durationMs, isBucket } from '@cairn/domain-definition';
import type { Json } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import { invalidParameter, limitParam, nameParam, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { ReadModels } from '../readmodels/read-models.js';
import type { RunRow } from '../readmodels/run-row.js';

const TAIL = new RegExp(`^[0-9a-z]{${TAIL_MIN},26}$`);
const CURSOR = /^p([0-9a-z]{1,9})$/;
const CURSOR_RADIX = 36;

const FILTERS = ['state', 'sub', 'workflow', 'cause', 'bucket', 'stale', 'olderThan', 'tail'] as const;
const ATTRIBUTE = 'attr.';

type Filter = (row: RunRow, now: number) => boolean;

/**
 * `GET runs`: newest first, those that fit all that is asked for. A cursor is a position in the order of starts, so pages neither repeat nor
 * skip while runs are added.
 */
export function listRuns(models: ReadModels, clock: Clock, ns: string, query: Query): Page<RunView> {
  const attributes = Object.keys(query).filter((name) => name.startsWith(ATTRIBUTE));
  const { limit: limitText, cursor, ...asked } = readQuery(query, [...FILTERS, 'limit', 'cursor', ...attributes]);
  const filters = filtersOf(asked as { readonly [name: string]: string | undefined });
  const limit = limitParam(limitText);
  const now = clock.now();
  const items: RunView[] = [];
  let next: number | undefined;
  models.newestFirst(positionOf(cursor), (row, position) => {
    if (row.ns !== ns || !filters.every((fits) => fits(row, now))) return true;
    if (items.length === limit) {
      next = position + 1;
      return false;
    }
    items.push(row.view(now));
    return true;
  });
  return { items, ...(next === undefined ? {} : { cursor: `p${next.toString(CURSOR_RADIX)}` }) };
}

function filtersOf(asked: { readonly [name: string]: string | undefined }): readonly Filter[] {
  return Object.entries(asked).flatMap(([name, text]) => (text === undefined ? [] : [filterOf(name, text)]));
}

function filterOf(name: string, text: string): Filter {
  if (name.startsWith(ATTRIBUTE)) return ({ attributes }) => textOf(attributes[name.slice(ATTRIBUTE.length)]) === text;
  switch (name as (typeof FILTERS)[number]) {
    case 'state':
      oneOf(name, text, runStateNames);
      return ({ state }) => state === text;
    case 'sub':
      return (row) => row.hasSub(text);
    case 'workflow':
      nameParam(text);
      return ({ workflow }) => workflow === text;
    case 'cause':
      oneOf(name, text, branchCauses);
      return (row) => row.hasCause(text);
    case 'bucket':
      if (!isBucket(text)) invalidParameter(name, `must be one of ${buckets.join(', ')}, or begin with x-`);
      return (row) => row.hasBucket(text);
    case 'stale':
      oneOf(name, text, ['true', 'false']);
      return (row, now) => row.view(now).flags.includes('stale') === (text === 'true');
    case 'olderThan': {
      const span = durationMs(text) ?? invalidParameter(name, 'must be a duration such as 2h or 3d');
      return ({ entered }, now) => now - Date.parse(entered) >= span;
    }
    case 'tail':
      if (!TAIL.test(text)) invalidParameter(name, `must be the last ${TAIL_MIN} to 26 characters of an id`);
      return ({ run }) => run.endsWith(text);
  }
}

function oneOf(name: string, text: string, known: readonly string[]): void {
  if (!known.includes(text)) invalidParameter(name, `must be one of ${known.join(', ')}`);
}

/** Attributes are scalars, and a query has texts. */
const textOf = (value: Json | undefined): string | undefined =>
  value === undefined || value === null ? undefined : String(value as string);

function positionOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const digits = CURSOR.exec(cursor)?.[1];
  return digits === undefined ? refuse('invalid_cursor', 'A cursor is what an earlier page gave.') : Number.parseInt(digits, CURSOR_RADIX);
}
