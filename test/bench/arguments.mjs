import { parseArgs } from 'node:util';
import { WARM_UP_STEPS, workloads } from './workloads.mjs';

const options = {
  stack: { type: 'boolean', default: false },
  peers: { type: 'boolean', default: false },
  'event-store': { type: 'string' },
  'event-store-pid': { type: 'string' },
  rounds: { type: 'string' },
  'in-flight': { type: 'string' },
  runs: { type: 'string' },
  'warm-up': { type: 'string' },
  profile: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean', default: false },
};

export function readArguments() {
  const { values, positionals } = parse();
  const number = (name) => {
    const text = values[name];
    if (text !== undefined && !/^[1-9]\d{0,6}$/.test(text)) usage(`--${name}: '${text}' is no whole number from 1`);
    return text === undefined ? undefined : Number(text);
  };
  const unknown = positionals.filter((name) => workloads[name] === undefined);
  if (unknown.length > 0) usage(`no workload ${unknown.join(', ')}; there are ${Object.keys(workloads).join(', ')}`);
  return {
    names: positionals.length === 0 ? Object.keys(workloads) : positionals,
    stack: values.stack,
    peers: values.peers,
    eventStore: eventStore(values['event-store'], number('event-store-pid')),
    rounds: number('rounds') ?? 1,
    inFlight: number('in-flight'),
    runs: number('runs'),
    warmUpSteps: number('warm-up') ?? WARM_UP_STEPS,
    profile: values.profile,
    out: values.out,
    json: values.json,
  };
}

/** A server that somebody else runs. Its process is told for its CPU time alone. */
function eventStore(url, pid) {
  if (url === undefined) return pid === undefined ? undefined : usage('--event-store-pid: wants --event-store beside it');
  if (!/^esdb(\+discover)?:\/\//.test(url)) usage(`--event-store: '${url}' is no esdb:// address`);
  return { url, pid };
}

function parse() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return usage(error.message);
  }
}

function usage(says) {
  console.error(`bench: ${says}`);
  process.exit(2);
}
