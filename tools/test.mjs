// `npm test`: every check and every spec of this repository, ending with one line `N passed, N failed[, N skipped]`.
// Exit 1 on any failure; a runner that crashes, hangs, runs nothing or skips a test is a failure too.
// Usage: node tools/test.mjs [--only kind,kind] [--without kind,kind]
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allNames, build, checks, specKinds } from './kinds.mjs';
import { jestCommand } from './jest-command.mjs';
import { runCommand } from './run-command.mjs';
import { specFiles, strays } from './spec-files.mjs';
import { tallyOf } from './tally.mjs';

/** A check that takes longer than this hangs. */
const CHECK_LIMIT_MS = 5 * 60_000;
/** A kind of specs that takes longer than this hangs: the simulation's 2,000 seeds take a few minutes on two cores. */
const SPECS_LIMIT_MS = 20 * 60_000;
/** Checks that run beside each other: two cores, and the type checker and the linter take about one each. */
const CHECKS_AT_ONCE = 2;

const { values } = parseArgs({ options: { only: { type: 'string' }, without: { type: 'string' } } });
const named = (list) => list?.split(',').filter((name) => name !== '');
const unknown = [...(named(values.only) ?? []), ...(named(values.without) ?? [])].filter((name) => !allNames.includes(name));
if (unknown.length > 0) {
  console.error(`unknown kind: ${unknown.join(', ')}; there are ${allNames.join(' ')}`);
  process.exit(2);
}
const chosen = ({ name }) => (named(values.only)?.includes(name) ?? true) && !(named(values.without)?.includes(name) ?? false);

const folder = mkdtempSync(join(tmpdir(), 'cairn-test-'));
const notRunFile = join(folder, 'not-run');
/** Of the shell's own settings those that say what is tested and with what: somebody's running Cairn is not ours to test. */
const OF_TESTS = /^CAIRN_(TEST_|CHAOS|NATS_SERVER$)/;
const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('CAIRN_') || OF_TESTS.test(name));
const env = { ...Object.fromEntries(outside), CAIRN_NOT_RUN_FILE: notRunFile, NX_DAEMON: 'false' };
if (process.stdout.isTTY && env.NO_COLOR === undefined) env.FORCE_COLOR = '1';
if (!process.stdout.isTTY) for (const name of ['FORCE_COLOR', 'CLICOLOR_FORCE']) delete env[name];

const sum = { passed: 0, failed: 0 };
const failures = [];
const waiting = checks.filter(chosen);

try {
  await check(build); // Always: system specs and the demo run what `dist` holds.
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, checkWaiting));
  if (values.only === undefined) for (const file of strays()) fail('specs', `${file} lies in no kind's place: nothing runs it`);
  for (const kind of specKinds.filter(chosen)) await specs(kind);
} catch (error) {
  fail('runner', String(error)); // A bug of ours: it must not cost the last line.
}
report();

async function checkWaiting() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await check(next);
}

/** Output of a check is kept until it ends: two run beside each other. */
async function check({ name, command, fix }) {
  const started = performance.now();
  let output = '';
  const { code, timedOut } = await runCommand(command, { env, limitMs: CHECK_LIMIT_MS, onOutput: (text) => (output += text) });
  const took = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  if (code === 0) {
    sum.passed += 1;
    console.log(`ok      ${name} (${took})`);
    return;
  }
  if (output !== '') console.log(output.trimEnd());
  fail(name, `${timedOut ? 'hangs' : `exit ${code}`}${fix === undefined ? '' : `; try: ${fix}`} (${took})`);
}

async function specs(kind) {
  const { name, places, optional, workers = 2, alone = [], limitMs } = kind;
  const files = specFiles(places);
  if (files.length === 0) {
    if (optional === undefined) fail(name, `no spec below ${places.join(' ')}`);
    else console.log(`none    ${name}: ${optional}`);
    return;
  }
  for (const file of alone) if (!files.includes(file)) fail(name, `${file} is to run alone, and is not there`);
  const beside = files.filter((file) => !alone.includes(file));
  const apart = files.filter((file) => alone.includes(file));
  // Without a file jest would run all that there are.
  if (beside.length > 0) await jest(name, beside, workers, limitMs);
  if (apart.length > 0) await jest(name, apart, 1, limitMs);
}

async function jest(name, files, workers, limitMs = SPECS_LIMIT_MS) {
  console.log(`\n${name}: ${files.length} spec file(s)${workers === 1 ? ', one after another' : ''}`);
  const began = performance.now();
  const outputFile = join(folder, `${name}-${workers}.json`);
  const command = [...jestCommand, '--ci', `--maxWorkers=${workers}`, '--json', '--outputFile', outputFile, '--runTestsByPath', ...files];
  const onOutput = (text) => process.stdout.write(text);
  const { code, timedOut } = await runCommand(command, { env, limitMs, onOutput });
  console.log(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  const tally = tallyOf(existsSync(outputFile) ? readFileSync(outputFile, 'utf8') : undefined, code);
  if (timedOut) tally.problems.push('hangs: killed after its time limit');
  sum.passed += tally.passed;
  sum.failed += tally.failed;
  failures.push(...tally.failedNames.map((test) => `${name}: ${test}`));
  for (const problem of tally.problems) fail(name, problem);
}

function fail(name, sentence) {
  sum.failed += 1;
  failures.push(`${name}: ${sentence}`);
  console.log(`FAILED  ${name}: ${sentence}`);
}

/** A test that could not run called `notRun`: it is named, with its reason, and counts as skipped instead of passed. */
function report() {
  const notRun = existsSync(notRunFile)
    ? readFileSync(notRunFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
  rmSync(folder, { recursive: true, force: true });
  console.log('');
  for (const failure of failures) console.log(`failed: ${failure}`);
  for (const line of notRun) console.log(`not run: ${line}`);
  const skipped = notRun.length === 0 ? '' : `, ${notRun.length} skipped`;
  process.exitCode = sum.failed > 0 ? 1 : 0;
  console.log(`${sum.passed - notRun.length} passed, ${sum.failed} failed${skipped}`);
}
