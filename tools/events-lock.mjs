// The storage format's guard. `events.lock.json` holds the JSON Schema of every event by `Type@version`; this check compares it with
// what the domain libs' codecs say now. A released event may gain a version or an optional field; it never loses or changes one.
// Usage: node tools/events-lock.mjs [--write]      writes what is new; before the first release (version 0.0.0) also what changed
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { differences } from './schema-difference.mjs';
import { root } from './workspaces.mjs';

const LIBS = ['libs/domain/run', 'libs/domain/schedule', 'libs/domain/retry', 'libs/domain/review'];
const lockFile = join(root, 'events.lock.json');

const locked = existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, 'utf8')) : {};
const { current, problems } = await schemasOfAllLibs();
const write = process.argv.includes('--write');
const released = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version !== '0.0.0';

const broken = Object.keys(locked).flatMap((key) =>
  current[key] === undefined ? [`${key}: lost`] : differences(locked[key], current[key]).map((says) => `${key}${says}`),
);
const stale = JSON.stringify(sorted(current)) !== JSON.stringify(locked);

if (write && problems.length === 0 && (broken.length === 0 || !released)) {
  writeFileSync(lockFile, `${JSON.stringify(sorted(current), null, 2)}\n`);
  console.log(`events.lock.json: ${Object.keys(current).length} events${broken.length === 0 ? '' : ', changed before the first release:'}`);
  for (const line of broken) console.log(`  ${line}`);
} else {
  for (const line of [...problems, ...broken]) console.error(line);
  if (broken.length > 0 && released) console.error('A released event is for ever: add a version of it and an upcaster instead.');
  else if (stale) console.error('events.lock.json does not say what the codecs say. Look at the change, then: npm run events:lock');
  if (problems.length > 0 || broken.length > 0 || stale) process.exitCode = 1;
}

/** By `Type@version`, from `eventSchemas` of each domain lib as it is built. */
async function schemasOfAllLibs() {
  const current = {};
  const problems = [];
  for (const lib of LIBS) {
    if (!existsSync(join(root, lib, 'dist/index.js'))) {
      problems.push(`${lib}: nothing is built there; npm run build`);
      continue;
    }
    const { eventSchemas } = await import(pathToFileURL(join(root, lib, 'dist/index.js')).href);
    const { z } = await import(pathToFileURL(createRequire(join(root, lib, 'package.json')).resolve('zod')).href);
    if (eventSchemas === undefined) problems.push(`${lib}: its index exports no eventSchemas`);
    for (const [key, schema] of Object.entries(eventSchemas ?? {})) {
      if (!/^[A-Z][A-Za-z]+@[1-9][0-9]*$/.test(key)) problems.push(`${lib}: ${key} is not Type@version`);
      const said = z.toJSONSchema(schema, { io: 'input' });
      // An echo in another stream has the same name and the same shape, or another name.
      if (current[key] !== undefined && differences(current[key], said).length + differences(said, current[key]).length > 0)
        problems.push(`${key}: two libs declare it, and not the same`);
      current[key] ??= said;
    }
  }
  return { current, problems };
}

function sorted(object) {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
