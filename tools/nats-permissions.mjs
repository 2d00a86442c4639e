// `deploy/nats/permissions.conf`: who may say and hear what on the nats-server, from `libs/contracts/src/permissions.ts`.
// Usage: node tools/nats-permissions.mjs            writes it
//        node tools/nats-permissions.mjs --check    exit 1 if it does not say what the contract says
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './workspaces.mjs';

const target = join(root, 'deploy/nats/permissions.conf');
const contracts = await import(pathToFileURL(join(root, 'libs/contracts/dist/index.js')).href);
const { handlerUser, permissionsText, publisherUser, serviceUsers } = contracts;

// The namespace that is there without anybody naming one; `npx cairn bus permissions` writes it for others.
const users = [...serviceUsers, handlerUser('default'), publisherUser('default', ['start', 'signal'])];
const head = [
  '# Generated from libs/contracts/src/permissions.ts by `npm run permissions`; `npm test` checks that it is up to date.',
  '# For other namespaces and for handlers that take tasks as messages: npx cairn bus permissions --help',
];
const text = `${head.join('\n')}\n${permissionsText(users)}`;

if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error('deploy/nats/permissions.conf does not say what the contract says: npm run permissions');
  process.exitCode = 1;
}
