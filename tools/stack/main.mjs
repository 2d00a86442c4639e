// `npm run stack`: a real nats-server, the bus applied, every service and a handler as processes of their own, until Ctrl-C.
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { eventStoreNamed, shownStore } from '@cairn/nest-kit/event-store';
import { NATS_PORT } from './nats.mjs';
import { Stack } from './stack.mjs';

const root = resolve(import.meta.dirname, '../..');
const GATEWAY_PORT = 4300;
const RESTART_PAUSE_MS = 1_000;
const PARENT_LOOK_MS = 1_000;
/** Somebody must change something before a start can work. */
const EXIT_CONFIG = 78;

const USAGE = `npm run stack -- [options]: a nats-server, every service and a handler, each a process of its own, until Ctrl-C

  --data <folder>        where everything is kept (./.cairn); one stack a folder
  --port <n>             of the gateway (4300, or a free one if that is taken; 0 takes a free one)
  --nats-port <n>        of nats-server (4222, or a free one; 0 takes a free one)
  --replicas <n>         processes of execution, 1 to 8 (1)
  --event-store <name>   libsql:<file> or esdb://… (else CAIRN_EVENT_STORE, where others do not see the password;
                         else the libSQL file of the data folder)
  --ns <names>           namespaces, separated by commas (default)
  --no-handler           without the handler of examples/hello-wait
  --json                 one line of JSON when everything is ready
  --verbose              every line of every process
  --help                 this

Ends with 0 after Ctrl-C or SIGTERM, 2 for a wrong option, 78 where folder, port, store or configuration is not to be had, else with 1.
`;

const values = options();
const replicas = whole('replicas', 1, 8);
const ports = { gateway: whole('port', 0, 65_535), nats: whole('nats-port', 0, 65_535) };
/** Of the shell's own settings only this one leads the stack anywhere: a password has no other place where others do not see it. */
const storeName = values['event-store'] ?? (process.env.CAIRN_EVENT_STORE || undefined);
const eventStore = storeName === undefined ? undefined : named(storeName);
const say = values.json ? () => {} : (line) => console.log(line);

/** Of what a service says when it is ready, what people and programs want to know. */
const pick = (said) =>
  said === undefined ? {} : Object.fromEntries(Object.entries(said).filter(([key]) => key === 'url' || key === 'metrics'));

let stack;
let stopping;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop(0));
// npm hands a SIGTERM on; killed with -9 it cannot.
if (process.env.npm_lifecycle_event === 'stack') {
  const npm = process.ppid;
  setInterval(() => process.ppid !== npm && void stop(0), PARENT_LOOK_MS).unref();
}

try {
  say('starting nats-server, the bus and the services…');
  stack = new Stack({
    data: values.data,
    port: ports.gateway ?? (await free(GATEWAY_PORT, 0)),
    natsPort: ports.nats ?? (await free(NATS_PORT, 0)),
    replicas,
    ns: values.ns,
    ...(storeName === undefined ? {} : { eventStore: storeName }),
    onLine: (name, line, stream) => {
      if (
        values.verbose ||
        name === 'stack' ||
        (stream === 'stderr' && name !== 'nats-server' && /"level":"(warn|error|fatal)"|^cairn/.test(line))
      )
        console.error(`${name.padEnd(12)}| ${line}`);
    },
  });
  await stack.startAll();
  if (!values['no-handler']) {
    const applied = await stack.cairn('def', 'apply', join(root, 'examples/hello-wait/workflow.yaml'));
    if (applied.code !== 0) throw new Error(`def apply: ${applied.err}`);
    await startHandler();
  }
  for (const name of ['nats-server', ...stack.processes.keys()]) watch(name);
  tell();
} catch (error) {
  if (stopping !== undefined) await stopping; // It was told to end while it started.
  console.error(`stack: ${error.message}`);
  stopping ??= Promise.resolve();
  await stack?.stop();
  process.exit(error.code === 'stack_refused' || error.exit === EXIT_CONFIG ? EXIT_CONFIG : 1);
}

function options() {
  try {
    const { values: given } = parseArgs({
      options: {
        data: { type: 'string', default: './.cairn' },
        port: { type: 'string' },
        'nats-port': { type: 'string' },
        replicas: { type: 'string', default: '1' },
        'event-store': { type: 'string' },
        ns: { type: 'string', default: 'default' },
        'no-handler': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (!given.help) return given;
    process.stdout.write(USAGE);
    process.exit(0);
  } catch (error) {
    const [says] = error.message.split('. To specify', 1); // Node's advice is about its own parser.
    return refuse(`${says.replace(/\/\/[^@]*@/, '//')}\n\n${USAGE.trimEnd()}`);
  }
}

function whole(name, least, most) {
  if (values[name] === undefined) return undefined;
  const n = Number(values[name]);
  if (/^\d+$/.test(values[name]) && n >= least && n <= most) return n;
  return refuse(`--${name} must be a whole number from ${least} to ${most}`);
}

/** The store that is named; who named none that there is, is told so, and nothing of the name. */
function named(text) {
  try {
    return eventStoreNamed(text);
  } catch (error) {
    return refuse(`${values['event-store'] === undefined ? 'CAIRN_EVENT_STORE' : '--event-store'}: ${error.message}`);
  }
}

function refuse(says) {
  console.error(`stack: ${says}`);
  process.exit(2);
}

function tell() {
  const storeShown = eventStore === undefined ? join(stack.data, 'events.db') : shownStore(eventStore);
  const processes = [...stack.processes].map(([name, { pid }]) => ({ name, pid, ...pick(stack.said.get(name)) }));
  if (values.json) {
    const nats = { url: stack.nats.url, pid: stack.nats.pid, monitor: stack.nats.monitor, store: stack.nats.store };
    console.log(JSON.stringify({ ready: true, url: stack.url, data: stack.data, nats, eventStore: storeShown, processes }));
    return;
  }
  const place = (name, where, pid) => say(`  ${name.padEnd(13)} ${where.padEnd(52)} process ${pid}`);
  say(
    `\nthe stack is ready (${stack.nats.version === '' ? 'nats-server' : `nats-server ${stack.nats.version}`}, ${eventStore?.kind === 'esdb' ? 'an EventStoreDB' : 'one libSQL file'})\n`,
  );
  place('nats-server', `${stack.nats.url}  (monitor ${stack.nats.monitor})`, stack.nats.pid);
  for (const { name, pid, url, metrics } of processes) place(name, url ?? (metrics === undefined ? '' : `${metrics}/metrics`), pid);
  if (eventStore !== undefined) say(`  event store   ${storeShown}`);
  say(`  data          ${stack.data}  (${eventStore?.kind === 'esdb' ? 'token, disposables' : 'token, events.db, artifacts'}, nats/)`);
  say('\ntry, in another terminal:');
  if (stack.data !== resolve('./.cairn')) say(`  export CAIRN_DATA=${stack.data}`);
  say('  npx cairn doctor');
  if (!values['no-handler']) {
    say(`  npx cairn run start hello-wait --key ana --input '{"name":"Ana"}'`);
    say('  npx cairn event send --type house.bell.rang --key Ana     # or with any NATS client: README, "With a stock client"');
    say('  npx cairn run list');
  }
  say('\nCtrl-C drains and ends everything.');
}

/** What ends by itself, or is killed, is started again, as an orchestrator would do it: what it was at is in the history. */
function watch(name) {
  const one = name === 'nats-server' ? stack.nats.process : stack.process(name);
  void one.exited.then(async (how) => {
    if (stopping !== undefined) return;
    console.error(`stack: ${name} has ended (${how}) and is started again`);
    while (stopping === undefined) {
      try {
        await new Promise((resolve_) => setTimeout(resolve_, RESTART_PAUSE_MS));
        if (name === 'nats-server') await stack.nats.start();
        else if (name === 'handler') await startHandler();
        else await stack.start(name);
        const { pid } = name === 'nats-server' ? stack.nats : stack.process(name);
        console.error(`stack: ${name} is there again, process ${pid}`);
        return watch(name);
      } catch (error) {
        console.error(`stack: ${name} does not start: ${error.message.split('\n').at(-1)}`);
      }
    }
  });
}

async function startHandler() {
  const handler = stack.spawn('handler', [join(root, 'examples/hello-wait/handlers.mjs')]);
  await handler.said((line) => (line.startsWith('ready') ? true : undefined));
}

function stop(code) {
  stopping ??= (async () => {
    say('\ndraining…');
    const how = (await stack?.stop()) ?? {};
    const bad = Object.entries(how).filter(([name, exit]) => exit !== 0 && name !== 'handler');
    for (const [name, exit] of bad) console.error(`stack: ${name} ended with ${exit}`);
    process.exit(code);
  })();
  return stopping;
}

/** The port if nobody has it, else `otherwise`. */
function free(port, otherwise) {
  return new Promise((resolve_) => {
    const server = createServer();
    server.once('error', () => resolve_(otherwise));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve_(port)));
  });
}
