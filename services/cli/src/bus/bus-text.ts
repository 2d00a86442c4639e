import type { Paint } from '../paint.js';
import { brief, oneLine } from '../show.js';
import type { Mended } from './apply-bus.js';

const words: Readonly<Record<Mended['why'], readonly [did: string, would: string]>> = {
  missing: ['made', 'missing'],
  differs: ['changed', 'differs'],
  beyond_end: ['made anew', 'beyond the end of its stream'],
};

/** A line for each stream or consumer, and below it each field that differs: what was found, what it must be. */
export function mendedText(mended: readonly Mended[], paint: Paint): string {
  return mended
    .flatMap(({ kind, name, why, did, fields = [] }) => {
      const [done, would] = words[why];
      const head = `${paint.style(did === 'nothing' ? 'yellow' : 'green', did === 'nothing' ? would : done)} ${kind} ${oneLine(name)}`;
      return [head, ...fields.map(({ field, wanted, found }) => `  ${field}: ${brief(found) || 'absent'} -> ${brief(wanted)}`)];
    })
    .map((line) => `${line}\n`)
    .join('');
}
