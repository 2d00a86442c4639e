/** Ids are shown by their last 8 characters; any unique tail from 6 on is understood (`capabilities.md` §7.1). */
export const TAIL_SHOWN = 8;

export const tail = (id: string): string => id.slice(-TAIL_SHOWN);

/** Characters of a hash that people are shown, after `sha256:` (`capabilities.md` §3.1). */
const HASH_SHOWN = 12;
export const shortHash = (hash: string): string => hash.slice(0, 'sha256:'.length + HASH_SHOWN);

/** A table without lines: columns as wide as their widest cell, two spaces between. Control characters never reach the terminal. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], paintHeader: (text: string) => string): string {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = header.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [paintHeader(line(header)), ...cells.map(line)].map((text) => `${text}\n`).join('');
}

/** Text from elsewhere as one harmless line: controls and bidirectional marks become `·`. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '·');
}

/** A value as one line of JSON, cut to `max` characters. */
export function brief(value: unknown, max = 100): string {
  const text = oneLine(JSON.stringify(value) ?? '');
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/** The clock time of an instant, in UTC as it is stored. */
export const clock = (instant: string): string => instant.slice(11, 23);
