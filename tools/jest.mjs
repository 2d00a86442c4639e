// Runs jest in ESM mode with this repository's configuration; arguments are passed on (a folder, a pattern, a flag).
import { spawnSync } from 'node:child_process';
import { jestCommand } from './jest-command.mjs';
import { root } from './workspaces.mjs';

const { status } = spawnSync(process.execPath, [...jestCommand, ...process.argv.slice(2)], { stdio: 'inherit', cwd: root });
process.exit(status ?? 1);
