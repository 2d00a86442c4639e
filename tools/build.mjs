// Transpiles each workspace's src/*.ts to dist/*.js, and bundles the programs, so that `npx cairn` starts right after `npm ci`.
// Types are not checked here (`npm run typecheck` does). Incremental: an output newer than its source is left alone.
// Usage: node tools/build.mjs [workspace folder …]
import { transformFile } from '@swc/core';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { bundlePrograms } from './bundle.mjs';
import { root, typescriptBelow, workspaces } from './workspaces.mjs';
import { swcOptions } from './swc-options.mjs';

const only = process.argv.slice(2);
const self = Math.max(...['build.mjs', 'swc-options.mjs'].map((name) => statSync(join(root, 'tools', name)).mtimeMs));
const jobs = [];
/** When a workspace's dist last changed. */
let changed = 0;

for (const { dir } of workspaces().filter(({ dir }) => only.length === 0 || only.includes(dir))) {
  const source = join(root, dir, 'src');
  const target = join(root, dir, 'dist');
  const wanted = new Set();
  for (const file of typescriptBelow(source, { sourcesOnly: true })) {
    const out = join(target, file.slice(source.length + 1, -'.ts'.length) + '.js');
    wanted.add(out);
    const newest = Math.max(statSync(file).mtimeMs, self);
    const made = existsSync(out) ? statSync(out).mtimeMs : 0;
    if (made < newest) jobs.push({ file, out });
    changed = Math.max(changed, made);
  }
  removeStale(target, wanted);
}

await Promise.all(
  jobs.map(async ({ file, out }) => {
    // The map lies beside: inline it is two thirds of what each start has to read and scan.
    const { code, map } = await transformFile(file, { ...swcOptions, sourceMaps: true, sourceFileName: relative(dirname(out), file) });
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(`${out}.map`, map);
    writeFileSync(out, `${code}//# sourceMappingURL=${basename(out)}.map\n`);
  }),
);
await bundlePrograms(jobs.length > 0 ? Date.now() : changed);

/** A renamed source leaves no ghost that an import could still find. */
function removeStale(folder, wanted) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) removeStale(path, wanted);
    else if (/\.js(\.map)?$/.test(path) && !wanted.has(path.replace(/\.map$/, ''))) rmSync(path);
  }
}
