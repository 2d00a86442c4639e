import { canon } from '@cairn/kernel';

/**
 * What a fold holds as canonical text: one line an entry, `[kind, key, value]` as canonical JSON, lines in the order of their code
 * units. The same entries give the same text, in whatever order they came into their maps.
 */
export function canonicalLines(entries: Iterable<readonly [kind: string, key: string | number, value: unknown]>): string[] {
  return [...entries].map((entry) => canon(plainOf(entry))).sort(byCodeUnits);
}

/** The entries of such text; throws `SyntaxError` on anything else. Values are as `JSON.parse` gives them. */
export function* readCanonicalLines(text: string): Iterable<readonly [kind: string, key: string, value: unknown]> {
  if (text === '') return;
  for (const line of text.split('\n')) yield JSON.parse(line) as [string, string, unknown];
}

/** Maps and sets as lists in the order of their content, and what is undefined left out: an object's fields as JSON can hold them. */
export function plainOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map) return inOrder([...(value as Map<unknown, unknown>)]);
  if (value instanceof Set) return inOrder([...(value as Set<unknown>)]);
  if (Array.isArray(value)) return value.map(plainOf);
  const plain: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) if (field !== undefined) plain[name] = plainOf(field);
  return plain;
}

function inOrder(items: readonly unknown[]): unknown[] {
  return items
    .map((item) => ({ plain: plainOf(item), text: canon(plainOf(item)) }))
    .sort((a, b) => byCodeUnits(a.text, b.text))
    .map(({ plain }) => plain);
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
