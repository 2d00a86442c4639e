// What `npm test` consists of, in the order in which it begins: the checks, then the specs by place.
// A check is one command and counts as one test; a spec kind is all `*.spec.ts` below its places and counts each test.
import { join } from 'node:path';
import { root } from './workspaces.mjs';

const bin = (path) => join(root, 'node_modules', path);

export const build = { name: 'build', command: ['tools/build.mjs'] };

export const checks = [
  // First, since it takes as long as all the others, which run beside it.
  { name: 'lint', command: [bin('eslint/bin/eslint.js'), '--max-warnings', '0', '.'] },
  { name: 'format', command: [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'], fix: 'npm run format' },
  {
    name: 'fence',
    command: [
      bin('dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config',
      '.dependency-cruiser.mjs',
      'libs',
      'services',
      'examples',
      'test',
    ],
  },
  { name: 'knip', command: [bin('knip/bin/knip.js')] },
  { name: 'events-lock', command: ['tools/events-lock.mjs'] },
  { name: 'permissions', command: ['tools/nats-permissions.mjs', '--check'], fix: 'npm run permissions' },
  { name: 'map', command: ['tools/map.mjs', '--check'], fix: 'npm run map' },
  { name: 'types', command: [bin('typescript/bin/tsc'), '-p', 'tsconfig.json'] },
];

/**
 * `optional`: no spec there is no failure, with the reason. Everywhere else an empty kind is one.
 * `workers`: spec files beside each other, 2 if not said; one where all of them look at the time.
 * `alone`: those of its files that look at the time, or keep both cores busy by themselves: one after another, behind the others.
 * `limitMs`: what takes longer hangs, where that is not `SPECS_LIMIT_MS`.
 */
export const specKinds = [
  { name: 'unit', places: ['libs/', 'services/', 'examples/'] },
  { name: 'architecture', places: ['test/architecture/'] },
  { name: 'component', places: ['test/component/'] },
  { name: 'integration', places: ['test/integration/'], optional: 'needs servers; its first spec comes with the first adapter for one' },
  { name: 'replay', places: ['test/replay/'] },
  { name: 'simulation', places: ['test/simulation/'] },
  {
    name: 'system',
    places: ['test/system/'],
    alone: ['cli', 'exchange-silence', 'stack', 'survive'].map((name) => `test/system/${name}.spec.ts`),
  },
  {
    name: 'chaos',
    places: ['test/chaos/'],
    workers: 1,
    limitMs: process.env.CAIRN_CHAOS === 'whole' ? 90 * 60_000 : undefined, // `npm run chaos` kills every service at every hop.
  },
];

export const allNames = [build, ...checks, ...specKinds].map(({ name }) => name);
