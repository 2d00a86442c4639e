import { cp, mkdir, mkdtemp, readFile, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { modulesOf, type Manifest } from './repository.js';

/** A copy of the house with its fence, its package.json files and one empty file for each entry point. The caller removes it. */
export async function buildHouse(root: string): Promise<string> {
  const house = await realpath(await mkdtemp(join(tmpdir(), 'cairn-house-')));
  for (const file of ['.dependency-cruiser.mjs', 'tools/floors.mjs', 'package.json', 'tsconfig.json', 'tsconfig.base.json']) {
    await cp(join(root, file), join(house, file), { recursive: true });
  }
  await linkPackages(root, house);
  return house;
}

/** The packages from the registry are the root's own; those of this repository are the house's copies. */
async function linkPackages(root: string, house: string): Promise<void> {
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name.startsWith('.') || name === '@cairn') continue;
    await linkTo(join(root, 'node_modules', name), join(house, 'node_modules', name));
  }
  for (const name of await readdir(join(root, 'node_modules/@cairn'))) {
    const dir = relative(root, await realpath(join(root, 'node_modules/@cairn', name)));
    const text = await readFile(join(root, dir, 'package.json'), 'utf8');
    await plant(house, join(dir, 'package.json'), text);
    for (const module of modulesOf(JSON.parse(text) as Manifest)) await plant(house, join(dir, module), 'export {};\n');
    await linkTo(join(house, dir), join(house, 'node_modules/@cairn', name));
  }
  await plant(house, 'libs/kernel/src/names.ts', 'export {};\n');
}

async function linkTo(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path);
}

/** Writes one file of the house. */
export async function plant(house: string, file: string, text: string): Promise<void> {
  await mkdir(dirname(join(house, file)), { recursive: true });
  await writeFile(join(house, file), text);
}
