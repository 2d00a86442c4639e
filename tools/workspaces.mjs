// The workspaces as the root package.json names them: folder (relative to the root) and package.json.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Every workspace, in the order of the root's globs: `{dir, pkg}`; `dir` is relative to the root. */
export function workspaces() {
  const { workspaces: globs } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const dirs = globs.flatMap((glob) =>
    glob.endsWith('/*') ? readdirSync(join(root, glob.slice(0, -2))).map((name) => `${glob.slice(0, -2)}/${name}`) : [glob],
  );
  return dirs
    .filter((dir) => existsSync(join(root, dir, 'package.json')))
    .map((dir) => ({ dir, pkg: JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')) }));
}

/** The `.ts` files below a folder, without specs when `sourcesOnly`. */
export function typescriptBelow(folder, { sourcesOnly }) {
  if (!existsSync(folder)) return [];
  const found = [];
  for (const name of readdirSync(folder)) {
    if (name === 'node_modules' || name === 'dist') continue;
    const path = join(folder, name);
    if (statSync(path).isDirectory()) found.push(...typescriptBelow(path, { sourcesOnly }));
    else if (name.endsWith('.ts') && !name.endsWith('.d.ts') && !(sourcesOnly && name.endsWith('.spec.ts'))) found.push(path);
  }
  return found;
}
