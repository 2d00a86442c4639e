import { readFileSync } from 'node:fs';
import { usage } from './refusal.js';
import type { Surroundings } from './surroundings.js';

/** A JSON value of the command line: the text itself, `@file`, or `-` for standard input. A mistake names the option (exit 2). */
export function jsonArgument(text: string, option: string, { stdin }: Pick<Surroundings, 'stdin'>): unknown {
  const source = text === '-' ? stdin() : text.startsWith('@') ? readTextFile(text.slice(1), option) : text;
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    const says = error instanceof Error ? error.message : 'not JSON';
    throw usage(`${option} is not JSON: ${says}`, { errors: [{ pointer: '', rule: 'invalid_json', says }] });
  }
}

/** The text of a file of the command line; one that cannot be read is a mistake of it (exit 2). */
export function readTextFile(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw usage(`${option}: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}
