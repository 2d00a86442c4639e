// How this repository starts jest: ESM mode, its own configuration. Arguments for node; a run adds its own behind them.
import { join } from 'node:path';
import { root } from './workspaces.mjs';

export const jestCommand = [
  '--disable-warning=ExperimentalWarning',
  '--experimental-vm-modules',
  join(root, 'node_modules/jest/bin/jest.js'),
  '--config',
  join(root, 'jest.config.js'),
  '--rootDir',
  root,
];
