// `npm run house`: how big the rooms are. Reports and never fails: a number is a question to a reviewer, no rule.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root, typescriptBelow } from './workspaces.mjs';

/** Files that are worth a look: past 300 lines one asks what the second idea is. */
const LARGEST_SHOWN = 20;

const files = ['libs', 'services', 'examples', 'test'].flatMap((folder) => typescriptBelow(join(root, folder), { sourcesOnly: false }));
const sized = files.map((file) => ({ file: relative(root, file), lines: readFileSync(file, 'utf8').split('\n').length - 1 }));

for (const [name, chosen] of [
  ['sources', sized.filter(({ file }) => !file.endsWith('.spec.ts') && !file.startsWith('test/'))],
  ['specs', sized.filter(({ file }) => file.endsWith('.spec.ts') || file.startsWith('test/'))],
]) {
  const ordered = chosen.sort((a, b) => a.lines - b.lines);
  const at = (share) => ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))]?.lines ?? 0;
  const total = ordered.reduce((sum, { lines }) => sum + lines, 0);
  console.log(`\n${name}: ${ordered.length} files, ${total} lines; median ${at(0.5)}, p90 ${at(0.9)}, largest ${at(1)}`);
  for (const { file, lines } of ordered.slice(-LARGEST_SHOWN).reverse()) console.log(`${String(lines).padStart(6)}  ${file}`);
}
