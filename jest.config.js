import { swcOptions } from './tools/swc-options.mjs';

export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['cairn-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  // It finds what hangs, and claims nothing else: a hook that takes 5 s of CPU takes 30 s where two workers share two cores with others.
  testTimeout: 120_000,
  testMatch: ['**/*.spec.ts'],
  modulePathIgnorePatterns: ['/dist/', '/.nx/'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // The map beside the code: inline it is two thirds of what each spec file has to read and scan.
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swcOptions, sourceMaps: true }] },
};
