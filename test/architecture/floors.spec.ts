// Goal: the fence of `.dependency-cruiser.mjs` still bites. A rule whose pattern no longer matches anything would pass for ever,
// so each one is shown an import that it must refuse, and some that it must let through.
// Method: a small house in a temporary folder (the real package.json files, empty entry files), one planted file per case, one cruise.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { cruise, root } from './cruise.js';
import { buildHouse, plant } from './planted-house.js';

/** [file, what it imports, the rule that refuses it] */
const refused: readonly (readonly [file: string, imports: string, rule: string])[] = [
  ['libs/kernel/src/planted.ts', '@cairn/ports', 'floor-kernel'],
  ['libs/ports/src/planted.ts', '@cairn/domain-definition', 'floor-ports'],
  ['libs/ports/src/planted-up.ts', '@cairn/application', 'floor-ports'],
  ['libs/domain/run/src/planted.ts', '@cairn/domain-retry', 'floor-domain-run'],
  ['libs/domain/run/src/planted-port.ts', '@cairn/ports', 'only-domain-run'],
  ['libs/domain/definition/src/planted.ts', '@cairn/ports', 'floor-domain-definition'],
  ['libs/adapters/bus-memory/src/planted.ts', '@cairn/event-store-memory', 'floor-adapters-bus-memory'],
  ['libs/adapters/event-store-libsql/src/planted.ts', '@cairn/domain-definition', 'only-adapters'],
  ['libs/application/src/planted.ts', '@cairn/domain-run', 'only-application'],
  ['libs/contracts/src/planted.ts', '@cairn/oracle', 'floor-contracts'],
  ['libs/oracle/src/planted.ts', '@cairn/event-store-memory', 'only-oracle'],
  ['libs/nest-kit/src/planted.ts', '@cairn/domain-run', 'only-nest-kit'],
  ['libs/sdk/src/planted.ts', '@cairn/application', 'only-sdk'],
  ['libs/simulation/src/planted.ts', '@cairn/standalone', 'floor-simulation'],
  ['services/execution/src/planted.ts', '@cairn/scheduling', 'floor-execution'],
  ['services/gateway/src/planted.ts', '@cairn/execution', 'floor-gateway'],
  ['services/standalone/src/planted.ts', '@cairn/cli', 'floor-standalone'],
  ['services/cli/src/planted.ts', '@cairn/execution', 'only-cli'],
  ['libs/testkit/src/planted.ts', '@cairn/application', 'only-testkit'],
  ['examples/document-approval/src/planted.ts', '@cairn/kernel', 'only-examples'],
  ['services/scheduling/src/planted.ts', '@cairn/domain-run/decider', 'one-writer-domain-run'],
  ['libs/oracle/src/planted-decider.ts', '@cairn/domain-run/decider', 'one-writer-domain-run'],
  ['services/gateway/src/planted-schedule.ts', '@cairn/domain-schedule/decider', 'one-writer-domain-schedule'],
  ['services/execution/src/planted-retry.ts', '@cairn/domain-retry/decider', 'one-writer-domain-retry'],
  ['services/execution/src/planted-zod.ts', 'zod', 'one-importer-zod'],
  ['libs/domain/definition/src/planted-cel.ts', '@bufbuild/cel', 'one-importer-bufbuild-cel'],
  ['libs/domain/definition/src/planted-yaml.ts', 'yaml', 'one-importer-yaml'],
  ['libs/domain/definition/src/planted-ajv.ts', 'ajv', 'one-importer-ajv'],
  ['libs/domain/run/src/planted-zod.ts', 'zod', 'one-importer-zod'],
  ['services/gateway/src/planted-sql.ts', 'libsql', 'one-importer-libsql'],
  ['libs/application/src/planted-prom.ts', 'prom-client', 'one-importer-prom-client'],
  ['libs/domain/run/src/planted-cel.ts', '@bufbuild/cel', 'one-importer-bufbuild-cel'],
  ['services/cli/src/planted-yaml.ts', 'yaml', 'one-importer-yaml'],
  ['services/gateway/src/planted-ajv.ts', 'ajv', 'one-importer-ajv'],
  ['libs/domain/retry/src/planted-re2.ts', 're2js', 'one-importer-ajv'],
  ['services/gateway/src/planted-undici.ts', 'undici', 'one-importer-undici'],
  ['services/execution/src/planted-pino.ts', 'pino', 'one-importer-pino'],
  ['services/standalone/src/planted-commander.ts', 'commander', 'one-importer-commander'],
  ['libs/domain/run/src/planted-canon.ts', 'canonicalize', 'one-importer-canonicalize'],
  ['services/gateway/src/planted-wink.ts', 'wink-nlp', 'one-importer-wink-nlp'],
  ['services/gateway/src/planted-fastify.ts', 'fastify', 'one-importer-fastify'],
  ['services/execution/src/driving/planted.ts', '@nestjs/common', 'nest-in-its-files'],
  ['services/execution/src/reactions/planted.ts', 'rxjs', 'nest-in-its-files'],
  ['libs/application/src/planted-nest.ts', '@nestjs/core', 'nest-in-its-files'],
  ['services/execution/src/planted-testkit.ts', '@cairn/testkit', 'testkit-in-specs-only'],
  ['services/gateway/src/planted-spec-part.ts', './spec/allowed-part.js', 'spec-parts-in-specs-only'],
  ['services/execution/src/planted-deep.ts', '../../../libs/kernel/src/names.js', 'by-the-front-door'],
  ['libs/application/src/planted-barrel.ts', './index.js', 'no-barrel-from-inside'],
  ['libs/application/src/planted-dev.ts', 'fast-check', 'no-dev-in-production'],
  ['libs/application/src/planted-undeclared.ts', 'fast-uri', 'declared'],
  ['libs/application/src/planted-missing.ts', './not-there.js', 'resolvable'],
];

const allowed: readonly (readonly [file: string, imports: string])[] = [
  ['services/execution/src/allowed.ts', '@cairn/domain-run/decider'],
  ['services/gateway/src/allowed.ts', '@cairn/domain-run'],
  ['libs/domain/definition/src/yaml-text.ts', 'yaml'],
  ['libs/domain/run/src/codec.ts', 'zod'],
  ['libs/domain/run/src/steps/codec.ts', 'zod'],
  ['services/standalone/src/config.ts', 'zod'],
  ['services/execution/src/doors/allowed.door.ts', '@nestjs/common'],
  ['services/execution/src/execution.module.ts', '@nestjs/common'],
  ['libs/adapters/bus-memory/src/allowed.contract.spec.ts', '@cairn/testkit'],
  ['services/gateway/src/spec/allowed-part.ts', '@cairn/testkit'],
  ['examples/document-approval/src/allowed.ts', '@cairn/sdk'],
  ['libs/application/src/allowed.spec.ts', 'fast-check'],
];

describe('the fence', () => {
  let house: string;
  let violations: ReadonlyMap<string, ReadonlySet<string>>;

  beforeAll(async () => {
    house = await buildHouse(root);
    for (const [file, imports] of [...refused, ...allowed])
      await plant(house, file, `import * as planted from '${imports}';\nexport { planted };\n`);
    await plant(house, 'libs/application/src/one.ts', `export { two } from './two.js';\nexport const one = 1;\n`);
    await plant(house, 'libs/application/src/two.ts', `export { one } from './one.js';\nexport const two = 2;\n`);
    violations = await cruise(house);
  });

  afterAll(async () => {
    await rm(house, { recursive: true, force: true });
  });

  it.each(refused)('refuses %s importing %s', (file, _imports, rule) => {
    expect([...(violations.get(file) ?? [])]).toContain(rule);
  });

  it.each(allowed)('lets %s import %s', (file) => {
    expect([...(violations.get(file) ?? [])]).toEqual([]);
  });

  it('refuses two files that import each other', () => {
    expect([...(violations.get('libs/application/src/one.ts') ?? [])]).toContain('no-cycles');
  });

  it('stands around the real tree, which passes', async () => {
    expect([...(await cruise(root))].map(([file, rules]) => `${file}: ${[...rules].join(' ')}`)).toEqual([]);
  });
});
