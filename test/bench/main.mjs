// npm run bench -- [W1 …] [--stack] [--peers] [--event-store URL [--event-store-pid PID]] [--rounds N] [--in-flight N] [--runs N] [--warm-up STEPS] [--profile FOLDER] [--out FILE] [--json]
// Measures Cairn on this machine, and its peers beside it: server processes, one handler process, this client. See README.md.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { readArguments } from './arguments.mjs';
import { embedded } from './engines/embedded.mjs';
import { stack, stackOn, stackStock } from './engines/stack.mjs';
import { how } from './measures/index.mjs';
import { restateDefault, restateTuned, unavailable } from './peers/restate/restate.mjs';
import { endRunning, round } from './rounds.mjs';
import { medians, withRatios } from './summary.mjs';
import { table } from './table.mjs';
import { workloads } from './workloads.mjs';

const asked = readArguments();
const note = (text) => void process.stderr.write(`${text}\n`);
const notRun = [];
const engines = [...own(), ...peers()];

// Ctrl-C must not leave a server behind.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void endRunning().then(() => process.exit(1)));

const all = [];
for (let n = 1; n <= asked.rounds; n++) {
  // Engine after engine in every round: what the machine does meanwhile falls on each of them.
  for (const engine of engines) {
    if (asked.rounds > 1) note(`round ${n} of ${asked.rounds}`);
    all.push(...(await round({ engine, note, ...asked })));
  }
}
report();

/** On EventStoreDB the stack runs beside the same stack on its libSQL file, so that the two differ in nothing else. */
function own() {
  if (asked.eventStore !== undefined) return [stack, stackOn(asked.eventStore)];
  return asked.stack ? [stack, stackStock] : [embedded];
}

function peers() {
  if (!asked.peers) return [];
  const because = unavailable();
  if (because === undefined) return [restateDefault, restateTuned];
  notRun.push(`restate: ${because}`);
  return [];
}

function report() {
  const rows = withRatios(medians(all), workloads, new Set(engines.filter(({ peer }) => peer).map(({ name }) => name)));
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cpus: cpus().length };
  const settings = Object.fromEntries(engines.filter((engine) => engine.settings).map((engine) => [engine.name, engine.settings]));
  const document = { at: new Date().toISOString(), machine, warmUpSteps: asked.warmUpSteps, how, settings, notRun, rows };
  if (asked.out !== undefined) writeFileSync(asked.out, `${JSON.stringify(document, null, 2)}\n`);
  // One line: behind npm's own banner it is the last one.
  console.log(asked.json ? JSON.stringify(document) : table(rows, engines));
  for (const one of notRun) note(`not run: ${one}`);
}
