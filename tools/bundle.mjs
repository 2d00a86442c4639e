// Bundles each program (what a `bin` starts) out of the workspaces' dist into the root's dist: one file and the chunks that several or
// lazy parts of it share, with the libraries inside. A start then reads some twenty files instead of 1,500, which was two thirds of
// its CPU (ADR 0020). Libraries, handlers and specs go on with the workspaces' own dist.
import { build } from 'esbuild';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root, workspaces } from './workspaces.mjs';

const target = join(root, 'dist');

/** Stay where they are: native or reading files beside themselves, or to be the first thing that a process reads. */
const OUTSIDE = ['libsql', '@eventstore/db-client', 'reflect-metadata'];
/** Read where a test asks for a crash, and else nowhere (`reliability.md` §3.1): a bundle holds none of them. */
const CRASH = ['@cairn/nest-kit/crash', '@cairn/standalone/crash-points'];
/** Nest asks for them lazily and does without; we install none. Should we, it is to be taken off here. */
const NEVER_INSTALLED = [
  '@fastify/multipart',
  '@fastify/static',
  '@fastify/view',
  '@grpc/*',
  '@nestjs/platform-express',
  '@nestjs/websockets',
  'amqp-connection-manager',
  'amqplib',
  'class-transformer',
  'class-validator',
  'ioredis',
  'kafkajs',
  'mqtt',
];

/** What a bundle is made by and of, besides the workspaces: newer than the bundle, it is made again. */
const makers = ['tools/bundle.mjs', 'tools/workspaces.mjs', 'package-lock.json'].map((name) => join(root, name));

/** By the name under `bin/`: the module that it starts. */
const programs = Object.fromEntries(
  workspaces()
    .filter(({ dir }) => existsSync(join(root, dir, 'bin')))
    .flatMap(({ dir }) => readdirSync(join(root, dir, 'bin')).map((name) => [basename(name, '.js'), join(dir, 'dist/main.js')])),
);

const options = {
  outdir: target,
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifyWhitespace: true, // A start reads and scans all of it.
  lineLimit: 160,
  keepNames: true, // Names of classes stand in logs and errors.
  sourcemap: 'linked',
  sourcesContent: false, // The sources lie where the map says.
  metafile: true,
  external: [...OUTSIDE, ...CRASH, ...NEVER_INSTALLED],
  // CommonJS libraries ask for node's own modules by `require`, which a module does not have.
  banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
  logLevel: 'warning',
};

/** Does nothing where no input is newer than what is there: `newestInput` is the last change of a workspace's dist, in ms since 1970. */
export async function bundlePrograms(newestInput) {
  const newest = Math.max(newestInput, ...makers.map((file) => statSync(file).mtimeMs));
  const there = Object.keys(programs).map((name) => join(target, `${name}.js`));
  if (there.every((file) => existsSync(file) && statSync(file).mtimeMs >= newest)) return;
  // One by one: esbuild cuts what programs share through the libraries' circles of imports, and Nest's do not bear that.
  const made = await Promise.all(
    Object.entries(programs).map(([name, main]) =>
      build({ ...options, entryPoints: { [name]: main }, chunkNames: `${name}/[name]-[hash]` }),
    ),
  );
  const inputs = made.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const outputs = made.flatMap(({ metafile }) => Object.keys(metafile.outputs));
  const trap = inputs.find((file) => /\/crash(\/|(-points)?\.js$)/.test(file));
  if (trap !== undefined) {
    rmSync(target, { recursive: true }); // The next build must not find it and be content.
    throw new Error(`${trap} is in a bundle: what is shipped has no place where it kills itself`);
  }
  removeOthers(target, new Set(outputs.map((file) => join(root, file))));
}

/** Chunks are named by their content: the old ones would pile up. */
function removeOthers(folder, wanted) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) removeOthers(path, wanted);
    else if (!wanted.has(path)) rmSync(path);
  }
}
