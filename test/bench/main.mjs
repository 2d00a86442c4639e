// npm run bench -- W1|W2|W5|W6|W7 [--in-flight N] [--runs N] [--warm-up STEPS] [--profile FOLDER] [--json]
// Measures the embedded kind of Cairn on this machine: one server process, one handler process, this client. See README.md.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loseHandlers } from './lost-handlers.mjs';
import { drive, measure } from './measure.mjs';
import { startHandlers, startServer } from './processes.mjs';
import { table } from './table.mjs';
import { warmUp, WARM_UP_STEPS, workloads } from './workloads.mjs';

const how = {
  stepsPerSecond: 'steps of all measured runs / seconds from the first start to the last result, as the client sees it',
  cpuMsPerStep: 'user + system CPU of server, handler and client processes (/proc/<pid>/stat) / steps',
  stepP50Ms:
    'in the handler process: from one task of a run to its next; handlers return at once, so it is reply, append with fsync, dispatch',
  runP50Ms: 'in the client: from sending POST workflows/{name}/runs to the answer of the long poll for its result',
  fsyncLimitPerSecond: 'append of 1 KiB + fdatasync, one writer, one second, in the same folder, just before the row',
  secondsFromRestart: 'W6: from the moment that the second handler process is ready (it starts right after the kill) to the last result',
  stepsRunAgain: 'W6: attempts in the histories beyond one a step',
  tenths: 'in the handler process: rate of arrivals in the first and last tenth of the run',
};

const { names, inFlight, runs, warmUpSteps, profile, json } = readArguments();
const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
const data = join(folder, 'data');
mkdirSync(data);
const note = (text) => void process.stderr.write(`${text}\n`);

const server = await startServer(data, profile);
const handlers = await startHandlers(data, profile);
// Ctrl-C must not leave a server behind.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void end().then(() => process.exit(1)));
try {
  note(`warming up: ${warmUpSteps} steps`);
  await drive({ server, definition: warmUp.definition, inFlight: warmUp.inFlight, runs: Math.ceil(warmUpSteps / warmUp.steps) });
  const rows = [];
  for (const name of names) {
    const workload = workloads[name];
    for (const many of inFlight === undefined ? workload.inFlight : [inFlight]) {
      note(`${name}, ${many} in flight: ${workload.says}`);
      const take = workload.kills ? loseHandlers : measure;
      rows.push(await take({ name, workload, inFlight: many, runs: runs ?? workload.runs, server, handlers, data, folder }));
    }
  }
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cpus: cpus().length };
  // One line: behind npm's own banner it is the last one.
  console.log(json ? JSON.stringify({ at: new Date().toISOString(), machine, warmUpSteps, how, rows }) : table(rows));
} finally {
  await end();
}

async function end() {
  await handlers.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

function readArguments() {
  const { values, positionals } = parse({
    allowPositionals: true,
    options: {
      'in-flight': { type: 'string' },
      runs: { type: 'string' },
      'warm-up': { type: 'string' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const number = (name) => {
    const text = values[name];
    if (text !== undefined && !/^[1-9]\d{0,6}$/.test(text)) usage(`--${name}: '${text}' is no whole number from 1`);
    return text === undefined ? undefined : Number(text);
  };
  const unknown = positionals.filter((name) => workloads[name] === undefined);
  if (unknown.length > 0) usage(`no workload ${unknown.join(', ')}; there are ${Object.keys(workloads).join(', ')}`);
  return {
    names: positionals.length === 0 ? Object.keys(workloads) : positionals,
    inFlight: number('in-flight'),
    runs: number('runs'),
    warmUpSteps: number('warm-up') ?? WARM_UP_STEPS,
    profile: values.profile,
    json: values.json,
  };
}

function parse(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    return usage(error.message);
  }
}

function usage(says) {
  console.error(`bench: ${says}`);
  process.exit(2);
}
