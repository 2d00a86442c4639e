// Runs jest in ESM mode with this repository's configuration; arguments are passed on (a folder, a pattern, a flag).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './workspaces.mjs';

const jest = join(root, 'node_modules/jest/bin/jest.js');
const { status } = spawnSync(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    '--experimental-vm-modules',
    jest,
    '--config',
    join(root, 'jest.config.js'),
    '--rootDir',
    root,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', cwd: root },
);
process.exit(status ?? 1);
