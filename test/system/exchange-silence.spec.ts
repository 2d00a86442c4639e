// Goal: steps done by handlers on the SDK leave no trace on any bus stream: the exchange is core NATS, the history is the store
// (`architecture.md` §4.2). Method: one long run on the stack; nats-server's own numbers of everything that its streams took in and its
// consumers acknowledged, read twice in the middle of the run, so that its start and its end are not in them.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNatsServer, notRun } from '@cairn/testkit';
import { root } from './processes.js';
import { startStack, type Stack } from './stack.js';

const found = findNatsServer();
const LIMIT_MS = 300_000;
const FIRST_MARK = 100;
const LAST_MARK = 1_100;
/** Eighteen loops of a hundred turns: the run goes on well beyond the last mark. */
const LOOPS = 18;
const TURNS = 100;
/** Messages and acknowledgements that a step may cost. */
const A_STEP_MAX = 0.01;

describe('the exchange', () => {
  if ('missing' in found) return it('needs a nats-server', () => notRun('silence of the exchange', found.missing));

  let stack: Stack & { dispose(): Promise<void> };
  beforeAll(async () => {
    stack = await startStack(found.path);
  }, LIMIT_MS);
  afterAll(() => stack.dispose(), LIMIT_MS);

  it(
    `puts less than ${A_STEP_MAX} messages and acknowledgements a step on the bus streams`,
    async () => {
      const file = join(stack.data, 'silence.json');
      writeFileSync(file, JSON.stringify(long));
      expect(await stack.cairn('def', 'apply', file)).toMatchObject({ code: 0 });
      const handler = stack.spawn('handler', [join(root, 'test/system/silence-handlers.mjs'), String(FIRST_MARK), String(LAST_MARK)]);
      await handler.said((line) => (line === 'ready' ? true : undefined));

      const before = await traffic(stack.nats.monitor);
      const { json } = await stack.http<{ runId: string }>('POST', 'workflows/silence/runs', { input: {} });
      await handler.said((line) => (line === `at ${FIRST_MARK}` ? true : undefined));
      const first = await traffic(stack.nats.monitor);
      await handler.said((line) => (line === `at ${LAST_MARK}` ? true : undefined));
      const last = await traffic(stack.nats.monitor);
      const view = await stack.http<{ state: string }>('GET', `runs/${json.runId}`);

      expect(view.json).not.toMatchObject({ state: 'complete' }); // Its end is not in what was counted.
      expect(first).toBeGreaterThan(before); // Its start is seen: these numbers do count.
      expect((last - first) / (LAST_MARK - FIRST_MARK)).toBeLessThan(A_STEP_MAX);
    },
    LIMIT_MS,
  );
});

const long = {
  cairn: 1,
  name: 'silence',
  version: '1.0.0',
  goal: 'more than a thousand steps, one after another',
  steps: Array.from({ length: LOOPS }, (_, n) => ({
    id: `s${n}`,
    task: { queue: 'silence' },
    repeat: { until: `turn >= ${TURNS}`, max: TURNS },
  })),
};

interface Jsz {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly {
      readonly state: { readonly last_seq: number };
      readonly consumer_detail?: readonly { readonly ack_floor: { readonly consumer_seq: number } }[];
    }[];
  }[];
}

/** What all bus streams have taken in, and what all their consumers have acknowledged. */
async function traffic(monitor: string): Promise<number> {
  const jsz = (await (await fetch(`${monitor}/jsz?accounts=1&streams=1&consumers=1`)).json()) as Jsz;
  const streams = (jsz.account_details ?? []).flatMap(({ stream_detail: details = [] }) => details);
  const acks = streams.flatMap(({ consumer_detail: details = [] }) => details.map(({ ack_floor: floor }) => floor.consumer_seq));
  return [...streams.map(({ state }) => state.last_seq), ...acks].reduce((sum, count) => sum + count, 0);
}
