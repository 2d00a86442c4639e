#!/usr/bin/env node
// `npm ci` builds before anybody gets here; a clone without its `prepare` step is built now, once.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../../../dist/scheduling.js', import.meta.url);
if (!existsSync(main))
  spawnSync(process.execPath, [fileURLToPath(new URL('../../../tools/build.mjs', import.meta.url))], { stdio: ['ignore', 2, 2] });
await import(main.href);
