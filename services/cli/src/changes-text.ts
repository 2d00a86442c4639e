import { brief, oneLine } from './show.js';

/** One operation of a change set (JSON Patch). */
export interface Change {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** A change set, a line each: `/steps/screen/queue  screen-b`. */
export const changesText = (changes: readonly Change[]): string[] =>
  changes.map(({ op, path, value }) => `${brief(path).slice(1, -1)}  ${op === 'remove' ? 'removed' : valueText(value)}`);

export const valueText = (value: unknown): string => (typeof value === 'string' ? brief(value).slice(1, -1) : brief(value));

/** What became of effects that were left behind, a line each. */
export const choicesText = (choices: { readonly [key: string]: string }): string[] =>
  Object.entries(choices).map(([key, choice]) => `effect   ${oneLine(key)}  ${choice}`);
