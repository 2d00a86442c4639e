import { styleText } from 'node:util';

const colours = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
export type Style = Parameters<typeof styleText>[0];
export const paint = (style: Style, text: string): string => (colours ? styleText(style, text) : text);

const started = performance.now();
const claims: { readonly says: string; readonly holds: boolean }[] = [];

/** Seconds since the demo began, before every line: nothing is printed that is not just happening. */
const stamp = (): string => paint('dim', `${((performance.now() - started) / 1000).toFixed(1).padStart(5)}s `);

export function section(title: string): void {
  console.log(`\n${paint('bold', title)}`);
}

export function say(text: string): void {
  for (const line of text.trimEnd().split('\n')) console.log(`${stamp()} ${line}`);
}

/** One line of a process that the demo runs. */
export function overheard(who: string, line: string): void {
  say(`${paint('dim', `${who.padEnd(8)}|`)} ${line}`);
}

/** States what was just shown, and remembers whether it is true. The demo ends with 0 only if all are. */
export function claim(says: string, holds: boolean): void {
  claims.push({ says, holds });
  say(holds ? paint('green', `PROVED  ${says}`) : paint('red', `FALSE   ${says}`));
}

export function allHold(): boolean {
  const broken = claims.filter(({ holds }) => !holds);
  section(`${claims.length} claims checked, ${broken.length} false, ${((performance.now() - started) / 1000).toFixed(1)} s`);
  for (const { says } of broken) console.log(paint('red', `  false: ${says}`));
  return broken.length === 0;
}

/** Looks again and again until there is an answer; says what it waited for when there is none in time. */
export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined, withinMs = 20_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`waited ${withinMs / 1000} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
