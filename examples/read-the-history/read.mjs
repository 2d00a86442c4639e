// Reads a run that Cairn has stored, without any package of Cairn: checks its ids, its chain and its digests, and prints its state as of a
// revision, as canonical JSON. node read.mjs <esdb://… | bundle.jsonl> [run] [--at main@17 | --every]
import { parseArgs } from 'node:util';
import { canon, faultsOfStream } from './encoding.mjs';
import { fromBundle, fromEventStore } from './sources.mjs';
import { State } from './state.mjs';

const USAGE = 'node read.mjs <esdb://… | bundle.jsonl> [run] [--at main@17 | --every]';
process.on('uncaughtException', ({ message }) => fail(`${message} (${USAGE})`));

const { values, positionals } = parseArgs({ allowPositionals: true, options: { at: { type: 'string' }, every: { type: 'boolean' } } });
const [source, run] = positionals;
if (source === undefined) fail(USAGE);
const branches = source.includes('://') ? await fromEventStore(source, run) : fromBundle(source);
if (Object.keys(branches).length === 0) fail('there is no such run: give its whole id, as `cairn run list --json` shows it');
const [branch, revision] = (values.at ?? 'main').split('@');
const events = branches[branch] ?? [];
const last = Number(revision ?? events.length - 1);
if (!(last < events.length) || last < 0)
  fail(`there is no ${branch}@${last}; the run has ${Object.entries(branches).map(([name, { length }]) => `${length} events on ${name}`)}`);
for (const stored of Object.values(branches)) for (const fault of faultsOfStream(stored)) fail(fault);

const state = new State(events[0].metadata.runId, branch);
let checkpoints = 0;
for (const event of events.slice(0, last + 1)) {
  if (event.type === 'CheckpointReached' && ++checkpoints && event.data.stateDigest !== state.digest)
    fail(`${branch}@${event.revision}: another digest`);
  state.apply(event);
  if (values.every || event.revision === last) console.log(canon(state.view));
}
console.error(`${last + 1} events of ${branch}: ids, chain and ${checkpoints} checkpoints are as they should be; state ${state.digest}`);

function fail(says) {
  console.error(says);
  process.exit(1);
}
