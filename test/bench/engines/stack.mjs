// Each service a process of its own, a real nats-server between them, one libSQL file below: as `npm run stack`.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStack } from '../../../tools/stack/stack.mjs';
import { forkHandlers } from '../child.mjs';
import { busTraffic } from './bus-traffic.mjs';
import { CairnClient } from './cairn-client.mjs';
import { definitions } from './cairn-definitions.mjs';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const SERVICES = ['execution', 'scheduling', 'retry-policy', 'human-review', 'gateway'];
const BUS = 'JetStream files, synced every second';
const durability = `libSQL file, WAL, synchronous=FULL: fsync before a step counts; ${BUS}`;

/** Handlers on the SDK: frames over core NATS, many tasks in each. */
export const stack = engine('cairn stack', durability, './cairn-handlers.mjs', './cairn-slow-handlers.mjs');
/** Handlers on the stock client: one message a task. */
export const stackStock = engine('cairn stack, stock handlers', durability, './stock-handlers.mjs', './stock-slow-handlers.mjs');
/** The histories on an EventStoreDB that somebody runs at `url`; `pid`: its process, if its CPU time is to count. */
export const stackOn = ({ url, pid }) =>
  engine(
    'cairn stack, EventStoreDB',
    `EventStoreDB at ${new URL(url).host}: its flush to disk is as it was started; ${BUS}`,
    './cairn-handlers.mjs',
    './cairn-slow-handlers.mjs',
    { env: { CAIRN_EVENT_STORE: url }, pids: pid === undefined ? {} : { eventStore: [pid] } },
  );

function engine(name, says, handlersFile, slowFile, { env = {}, pids = {} } = {}) {
  return {
    name,
    durability: says,

    async start(folder, { profile } = {}) {
      const data = join(folder, 'data');
      const running = await startStack({ data, env, envOf: () => profiled(profile) });
      const client = (sockets) => new CairnClient({ url: running.url, token: running.token, sockets });
      await makeQueues(running, client(1));
      const handlerEnv = { CAIRN_DATA: data, CAIRN_NATS_URL: running.nats.url, CAIRN_URL: '', CAIRN_TOKEN: '' };
      const handlers = await forkHandlers(file(handlersFile), { env: handlerEnv, profile });
      const parts = () => SERVICES.map((service) => [service, [running.process(service).pid]]);
      return {
        data,
        handlers,
        pids: () => ({ nats: [running.nats.pid], ...pids, ...Object.fromEntries(parts()), handler: [handlers.pid] }),
        client,
        busTraffic: () => busTraffic(running.nats.monitor),
        slowHandlers: (onStep) => forkHandlers(file(slowFile), { env: handlerEnv, onStep }),
        async killServer() {
          await Promise.all([...SERVICES.map((service) => running.kill(service)), running.nats.kill()]);
        },
        async startServer() {
          await running.nats.start();
          await Promise.all(SERVICES.map((service) => running.start(service)));
        },
        async stop() {
          await handlers.stop();
          await running.stop();
        },
      };
    },
  };
}

const profiled = (folder) =>
  folder === undefined
    ? {}
    : { NODE_OPTIONS: `--import ${new URL('../profile-at-exit.mjs', import.meta.url)}`, BENCH_PROFILES: resolve(folder) };

/** Handlers bind to the consumers of their queues, which follow from the definitions. */
async function makeQueues(running, client) {
  for (const flow of Object.keys(definitions)) await client.apply(flow);
  client.close();
  await running.applyBus();
}
