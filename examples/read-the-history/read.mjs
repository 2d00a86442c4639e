// Reads a run that Cairn has stored, without any package of Cairn, and prints its state as of a revision, as canonical JSON.
import { parseArgs } from 'node:util';
import { faultsOfStream } from './checks.mjs';
import { canon } from './encoding.mjs';
import { fromBundle, fromEventStore } from './sources.mjs';
import { State } from './state.mjs';

process.on('uncaughtException', ({ message }) => {
  console.error(`${message} (node read.mjs <esdb://… | bundle.jsonl> [run] [--at main@17 | --every])`);
  process.exit(1);
});
const { values, positionals } = parseArgs({ allowPositionals: true, options: { at: { type: 'string' }, every: { type: 'boolean' } } });
const [source = '', run] = positionals;
const branches = source.includes('://') ? await fromEventStore(source, run) : fromBundle(source);
const [branch, revision] = (values.at ?? 'main').split('@');
const events = branches[branch] ?? [];
const last = Number(revision ?? events.length - 1);
const lengths = Object.entries(branches).map(([name, { length }]) => `${length} events on ${name}`);
if (!(last >= 0 && last < events.length)) throw new Error(`there is no ${branch}@${last}; the run has ${lengths.join(', ') || 'no event'}`);
for (const fault of Object.values(branches).flatMap(faultsOfStream)) throw new Error(fault);

const state = new State();
let checkpoints = 0;
for (const event of events.slice(0, last + 1)) {
  if (event.type === 'CheckpointReached' && ++checkpoints && event.data.stateDigest !== state.digest)
    throw new Error(`${branch}@${event.revision}: another digest`);
  state.apply(event);
  if (values.every || event.revision === last) console.log(canon(state.view));
}
console.error(`${last + 1} events of ${branch}: ids, chain and ${checkpoints} checkpoints are as they should be; state ${state.digest}`);
