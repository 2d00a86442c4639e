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
for (const fault of Object.values(branches).flatMap((stored) => faultsOfStream(stored, branches))) throw new Error(fault);

let checkpoints = 0;
/** The state of a branch at a revision: from where it grew, and from the head that it follows. */
function fold(name, to, show = () => undefined) {
  const [{ type, data }] = branches[name];
  const at = (point) => (known[`${point.branch}@${point.revision}`] ??= fold(point.branch, point.revision));
  const state = type === 'BranchOpened' ? State.beginning(at(data.parent), at(data.predecessor), data.shadow) : new State();
  for (const event of branches[name].slice(0, to + 1)) {
    if (event.type === 'CheckpointReached' && ++checkpoints && event.data.stateDigest !== state.digest)
      throw new Error(`${name}@${event.revision}: another digest`);
    state.apply(event);
    show(event, state);
  }
  return state;
}
const known = {};
const print = ({ revision: place }, { view }) => (values.every || place === last) && console.log(canon(view));
const state = fold(branch, last, print);
console.error(`${last + 1} events of ${branch}: ids, chain and ${checkpoints} checkpoints are as they should be; state ${state.digest}`);
