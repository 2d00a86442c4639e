// Finds a nats-server that Cairn can work with, and prints its path. Usage: node tools/nats-server.mjs [--no-fetch]
// Looks, in this order, at CAIRN_NATS_SERVER, the PATH, a cache folder, and what Debian offers, which is unpacked into that folder and
// never installed (an installation would start a server). Exit 1 and one sentence with the remedy when there is none.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';

/** `prioritized` consumers need 2.12, and these are the fixes of December 2025 (`facts.md` §2.1). */
const FLOOR = [2, 12, 7];
/** The suites of Debian whose nats-server may be new enough, the likeliest first. */
const SUITES = ['forky', 'sid'];
/** A package list and five megabytes: an answer that takes longer than this does not come. */
const FETCH_LIMIT_MS = 120_000;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const REMEDY =
  'set CAIRN_NATS_SERVER to one, or `brew install nats-server`, or as root `apt-get update` first so that one can be fetched from Debian';

const { values } = parseArgs({ options: { 'no-fetch': { type: 'boolean' } } });
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cairn', 'nats-server');
const unsuitable = [];

const found = process.env.CAIRN_NATS_SERVER
  ? given(process.env.CAIRN_NATS_SERVER)
  : (onPath() ?? suitable(join(cache, 'nats-server')) ?? fetched());
if (found === undefined) {
  const seen = unsuitable.length === 0 ? '' : ` (unsuitable: ${unsuitable.join(', ')})`;
  console.error(`needs nats-server >= ${FLOOR.join('.')}${seen}; ${REMEDY}`);
  process.exitCode = 1;
} else console.log(found);

/** Who names a server wants that one: no other is taken in its place. */
function given(path) {
  const server = suitable(path);
  if (server === undefined && unsuitable.length === 0) unsuitable.push(`CAIRN_NATS_SERVER=${path}: no such program`);
  return server;
}

function onPath() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']; // Debian's place is off a user's path.
  for (const folder of new Set(folders)) {
    const server = suitable(join(folder, 'nats-server'));
    if (server !== undefined) return server;
  }
  return undefined;
}

function suitable(path) {
  if (!existsSync(path)) return undefined;
  const said = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const version = /v(\d+)\.(\d+)\.(\d+)/.exec(said)?.slice(1).map(Number);
  if (version !== undefined && !isBelow(version, FLOOR)) return path;
  unsuitable.push(`${path}: ${version?.join('.') ?? 'says no version'}`);
  return undefined;
}

function isBelow(version, floor) {
  for (const [i, part] of floor.entries()) if (version[i] !== part) return version[i] < part;
  return false;
}

/** Unpacks the first suite's package that is new enough into the cache folder. Two processes at once end with the same file. */
function fetched() {
  const mirror = values['no-fetch'] ? undefined : mirrorOfThisMachine();
  if (mirror === undefined || !existsSync(KEYRING)) return undefined;
  mkdirSync(cache, { recursive: true });
  for (const suite of SUITES) {
    const folder = mkdtempSync(join(cache, 'fetch-'));
    try {
      const server = suitable(unpacked(mirror, suite, folder));
      if (server === undefined) continue;
      renameSync(server, join(cache, 'nats-server'));
      return join(cache, 'nats-server');
    } catch (error) {
      unsuitable.push(`${suite}: ${String(error.message).split('\n', 1)[0]}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return undefined;
}

/** Where this machine's own package manager gets Debian from; nothing before its first `apt-get update`. */
function mirrorOfThisMachine() {
  const wanted = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian', 'Label: Debian'];
  const listed = spawnSync('apt-get', wanted, { encoding: 'utf8' }).stdout ?? '';
  return listed.split('\n').find((line) => line !== '');
}

function unpacked(mirror, suite, folder) {
  for (const name of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'one.list'), `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
  const own = [
    `Dir::Etc::sourcelist=${join(folder, 'one.list')}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=', // The folder is this user's alone.
  ].flatMap((option) => ['-o', option]);
  const inFolder = { cwd: folder, timeout: FETCH_LIMIT_MS, stdio: ['ignore', 'ignore', 'pipe'] };
  execFileSync('apt-get', [...own, 'update', '-qq'], inFolder);
  execFileSync('apt-get', [...own, 'download', '-qq', 'nats-server'], inFolder);
  const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
  execFileSync('dpkg-deb', ['-x', join(folder, String(archive)), join(folder, 'x')], inFolder);
  return join(folder, 'x', 'usr', 'sbin', 'nats-server');
}
