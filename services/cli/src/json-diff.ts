import type { Json, JsonObject } from '@cairn/kernel';
import type { Paint } from './paint.js';
import { brief } from './show.js';

/** One place where two documents differ. Steps and the like, which have an `id`, are named by it: `/steps/screen/retry`. */
export interface Difference {
  readonly path: string;
  /** Absent: it was not there. */
  readonly before?: Json;
  /** Absent: it is there no more. */
  readonly after?: Json;
}

/** Where two documents in canonical form differ, as deep as they are alike, by path. Equal documents: nothing. */
export function differences(before: Json, after: Json, path = ''): readonly Difference[] {
  if (isObject(before) && isObject(after)) return membersOf(before, after, path);
  if (!isList(before) || !isList(after)) return same(before, after) ? [] : [{ path, before, after }];
  const [a, b] = [byId(before), byId(after)];
  if (a === undefined || b === undefined) return membersOf(Object.fromEntries(before.entries()), Object.fromEntries(after.entries()), path);
  const order = ({ items, other }: { items: JsonObject; other: JsonObject }): string[] => Object.keys(items).filter((id) => id in other);
  const [was, is] = [order({ items: a, other: b }), order({ items: b, other: a })];
  return [...membersOf(a, b, path), ...(same(was, is) ? [] : [{ path: `${path} (order)`, before: was, after: is }])];
}

/** A line for each, as people read it. */
export function differencesText(found: readonly Difference[], paint: Paint): string {
  const width = Math.min(PATH_WIDTH_MAX, Math.max(0, ...found.map(({ path }) => path.length)));
  return found
    .map(({ path, before, after }) => {
      const place = (path === '' ? '/' : path).padEnd(width);
      if (before === undefined) return paint.style('green', `+ ${place}  ${brief(after)}`);
      if (after === undefined) return paint.style('red', `- ${place}  ${brief(before)}`);
      return `${paint.style('yellow', '~')} ${place}  ${brief(before)} -> ${brief(after)}`;
    })
    .map((line) => `${line}\n`)
    .join('');
}

/** Columns up to which values stand below each other. */
const PATH_WIDTH_MAX = 60;

function membersOf(before: JsonObject, after: JsonObject, path: string): readonly Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name): readonly Difference[] => {
    const [a, b] = [before[name], after[name]];
    const place = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (a === undefined) return b === undefined ? [] : [{ path: place, after: b }];
    return b === undefined ? [{ path: place, before: a }] : differences(a, b, place);
  });
}

/** A list whose items have ids, each its own: as an object by id. */
function byId(list: readonly Json[]): JsonObject | undefined {
  const entries = list.map((item) => [isObject(item) ? item['id'] : undefined, item] as const);
  const ids = entries.map(([id]) => id);
  if (list.length === 0) return {};
  return ids.every((id) => typeof id === 'string') && new Set(ids).size === ids.length ? Object.fromEntries(entries) : undefined;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
const isObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b);
