import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './cruise.js';

/** What a package shows: a module, or its package.json as it is. */
type Entry = { readonly 'cairn-source': string } | './package.json';

export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, Entry>>;
}

/** What tools make or fetch; `.gitignore` names the same. */
const MADE = new Set(['node_modules', 'dist', '.git', '.nx', '.cairn', 'coverage', '__pycache__']);

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !MADE.has(name) && !name.endsWith('.log'))
    .flatMap((entry) => (entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/** Every file of the repository as it is on disk now, relative to the root. Git is not asked: it refuses a tree of another owner. */
export const files: readonly string[] = walk('.').sort();

/** Those that people write and read; the lock file is npm's. */
export const texts: readonly string[] = files.filter(
  (file) => /\.(ts|mjs|js|json|md|py|yaml|yml|sh)$/.test(file) && file !== 'package-lock.json',
);

/** The modules that a package shows. */
export const modulesOf = ({ exports = {} }: Pick<Manifest, 'exports'>): readonly string[] =>
  Object.values(exports).flatMap((entry) => (entry === './package.json' ? [] : [entry['cairn-source']]));

/** The root and every workspace. */
export const packages: readonly { readonly dir: string; readonly manifest: Manifest }[] = files
  .filter((file) => /(^|\/)package\.json$/.test(file))
  .map((file) => ({ dir: dirname(file), manifest: JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest }));
