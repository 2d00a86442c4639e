// The fence: who may import whom. The table is `tools/floors.mjs`; `test/architecture/floors.spec.ts` shows that it bites.
import { deciders, floors, importers, mayImport, nestFiles } from './tools/floors.mjs';

/** Specs, and the files beside them that only specs import (`src/spec/`). */
const SPEC = '\\.spec\\.ts$|/src/spec/';
const projects = [...floors.flat(), 'libs/testkit'];
/** A project or a family (`libs/adapters/*`) as a regular expression's middle. */
const pattern = (project) => project.replaceAll('*', '[a-z-]+');
const anyOf = (list) => `^(${list.map(pattern).join('|')})/`;
const nameOf = (project) =>
  project
    .replace(/^(libs|services)\//, '')
    .replaceAll('/', '-')
    .replace('-*', '');

/** Nobody imports its own floor or a higher one. Specs may use testkit, which stands beside the house. */
const floorRules = floors.flatMap((floor, height) =>
  floor.map((project) => ({
    name: `floor-${nameOf(project)}`,
    comment: `${project} stands on floor ${height}: it may import lower floors only, never a neighbour. Move what both need down.`,
    severity: 'error',
    from: { path: anyOf([project]) },
    to: {
      path: anyOf([
        ...floors
          .slice(height)
          .flat()
          .filter((other) => other !== project),
        'examples',
        'test',
      ]),
    },
  })),
);

const narrowRules = Object.entries(mayImport).map(([project, allowed]) => ({
  name: `only-${nameOf(project)}`,
  comment: `${project} may import ${allowed.join(', ')} and nothing else of this repository.`,
  severity: 'error',
  from: { path: `^(${pattern(project)})/` },
  to: { path: anyOf([...projects, 'examples/*']), pathNot: [anyOf([...allowed, 'libs/testkit']), '^$1/'] },
}));

const deciderRules = Object.entries(deciders).map(([lib, owner]) => ({
  name: `one-writer-${nameOf(lib)}`,
  comment: `Only ${owner} decides there: others read histories by the first entry point and ask by command.`,
  severity: 'error',
  from: { path: '^(libs|services|examples)/', pathNot: [anyOf([lib, owner, 'libs/simulation']), SPEC] },
  to: { path: `^${lib}/src/decider\\.ts$` },
}));

const importerRules = Object.entries(importers).map(([packages, files]) => ({
  name: `one-importer-${packages.split('|')[0].replaceAll(/[@/]/g, ' ').trim().replaceAll(' ', '-')}`,
  comment: `Imported in one place only (${files}), so that it can be replaced there.`,
  severity: 'error',
  from: { path: '^(libs|services|examples)/', pathNot: [files, SPEC] },
  to: { path: `^(${packages})$|node_modules/(${packages})/` },
}));

export default {
  forbidden: [
    ...floorRules,
    ...narrowRules,
    ...deciderRules,
    ...importerRules,
    {
      name: 'testkit-in-specs-only',
      comment: 'What runs in production never imports the test kit.',
      severity: 'error',
      from: { path: '^(libs|services|examples)/', pathNot: [SPEC, '^libs/testkit/'] },
      to: { path: '^libs/testkit/' },
    },
    {
      name: 'spec-parts-in-specs-only',
      comment: 'What lies in src/spec/ is written for specs and promises nothing.',
      severity: 'error',
      from: { path: '^(libs|services|examples)/', pathNot: SPEC },
      to: { path: '^(libs|services|examples)/.+/src/spec/' },
    },
    {
      name: 'nest-in-its-files',
      comment: 'Nest begins in main.ts, *.module.ts and doors/ and ends at a door’s constructor: hand the message to plain code.',
      severity: 'error',
      from: { path: '^(libs|services|examples)/', pathNot: [nestFiles, SPEC] },
      to: { path: 'node_modules/(@nestjs|rxjs|reflect-metadata)/' },
    },
    {
      name: 'by-the-front-door',
      comment:
        'Another project is imported by its package name, which shows its index alone (the kernel: and its ids and spans; a domain lib: and its decider; the sdk: and its connection and exchange; EventStoreDB: and its address and refusals; nest-kit: and its event store).',
      severity: 'error',
      from: { path: `^(${projects.join('|')}|examples/[a-z-]+)/` },
      to: {
        path: anyOf(projects),
        pathNot: ['^$1/', '/src/(index|ids|span|decider|connection|exchange|address|refusals|event-store)\\.ts$'],
      },
    },
    {
      name: 'no-cycles',
      comment: 'Files that import each other are one file in two pieces: move what both need below them.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-barrel-from-inside',
      comment: 'A package’s own files import each other directly; index.ts is for others.',
      severity: 'error',
      from: { path: `^(${projects.join('|')})/src/`, pathNot: SPEC },
      to: { path: '^$1/src/index\\.ts$' },
    },
    {
      name: 'resolvable',
      comment: 'There is no such module. (Bin files import what the build makes, and peers of the bench what it installs itself.)',
      severity: 'error',
      from: { pathNot: ['^services/cli/bin/', '^test/bench/peers/'] },
      to: { couldNotResolve: true },
    },
    {
      name: 'declared',
      comment: 'The package is not in the nearest package.json: a hoisted copy may be another major.',
      severity: 'error',
      from: { path: '^(libs|services|examples)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-in-production',
      comment: 'A development dependency is absent in production: only specs may import it.',
      severity: 'error',
      from: { path: '^(libs|services|examples)/', pathNot: [SPEC, '^libs/testkit/'] },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    exclude: { path: '^(libs|services|examples|test)/.+/dist/' },
    doNotFollow: { path: 'node_modules' },
    combinedDependencies: true,
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['cairn-source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
