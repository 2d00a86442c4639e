/** What durations are known to: milliseconds. */
const PRECISION = 1_000;

/** The samples of an exposition that are not 0, by `name{label="value",…}` with labels in the alphabet's order. */
export function samplesOf(text: string, names: RegExp): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, labels, value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || !names.test(name)) continue;
    const pairs = labels === undefined ? [] : labels.match(/[a-z]+="(?:[^"\\]|\\.)*"/g);
    const rounded = Math.round(Number(value) * PRECISION) / PRECISION;
    if (rounded !== 0) found.set(pairs === null || pairs.length === 0 ? name : `${name}{${[...pairs].sort().join(',')}}`, rounded);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
