import { swcOptions } from './tools/swc-options.mjs';

export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['cairn-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  // Five seconds are little where two workers share two slow cores with a server; what hangs is still found.
  testTimeout: 30_000,
  testMatch: ['**/*.spec.ts'],
  modulePathIgnorePatterns: ['/dist/', '/.nx/'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // The map beside the code: inline it is two thirds of what each spec file has to read and scan.
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swcOptions, sourceMaps: true }] },
};
