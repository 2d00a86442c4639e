// Goal: a stock client is all that a handler or a publisher needs, in three languages of the bus. Method: the files of examples/, as their
// READMEs start them, on the stack; one of them is killed in the middle of its work.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNatsServer, notRun, waitUntil } from '@cairn/testkit';
import { root } from './processes.js';
import { startStack, type Stack } from './stack.js';

const found = findNatsServer();
const LIMIT_MS = 300_000;
const PATIENCE_MS = 60_000;
const example = (file: string): string => join(root, 'examples', file);

interface Shown {
  readonly state: string;
  readonly sub?: string;
  readonly output?: unknown;
}
interface Receipt {
  readonly outcome: string;
  readonly runs: readonly { readonly run: string }[];
  readonly nearMisses: readonly object[];
}

describe('handlers and publishers on stock clients', () => {
  if ('missing' in found) return it('need a nats-server', () => notRun('handlers and publishers on stock clients', found.missing));

  let stack: Stack & { dispose(): Promise<void> };
  beforeAll(async () => {
    stack = await startStack(found.path);
  }, LIMIT_MS);
  afterAll(() => stack.dispose(), LIMIT_MS);

  const cairn = async <T>(...args: string[]): Promise<T> => {
    const { code, out, err } = await stack.cairn(...args, '--json');
    if (code !== 0) throw new Error(`cairn ${args.join(' ')} ended with ${code}: ${out}${err}`);
    return JSON.parse(out) as T;
  };
  const apply = (folder: string) => cairn('def', 'apply', example(`${folder}/workflow.yaml`));
  const show = (run: string) => cairn<Shown>('run', 'show', run);
  const types = async (run: string): Promise<readonly string[]> => {
    const { branches } = await cairn<{ branches: { events: { type: string }[] }[] }>('run', 'history', run);
    return (branches[0]?.events ?? []).map(({ type }) => type);
  };
  const reaches = (run: string, state: string): Promise<Shown> =>
    waitUntil(
      `${run} is ${state}`,
      async () => {
        const shown = await show(run);
        return shown.state === state ? shown : undefined;
      },
      PATIENCE_MS,
    );

  /** Publishes with the example's publisher: what it printed of the receipt. */
  async function publish(...args: string[]): Promise<Receipt> {
    const publisher = stack.spawn('publisher', [example('nats-handler/publish.mjs'), ...args]);
    expect(await publisher.exited).toBe(0);
    return JSON.parse(publisher.lines.join('\n')) as Receipt;
  }

  async function handler(name: string, file: string, env: NodeJS.ProcessEnv = {}) {
    const process = stack.spawn(name, [example(file)], env);
    await process.said((line) => (line.startsWith('serving') ? true : undefined));
    return process;
  }

  it(
    'the new client: an event starts the run, another resumes it, its effect is claimed and done once; killed in the middle, another goes on',
    async () => {
      await apply('nats-handler');
      const book = join(stack.data, 'shipped.txt');
      const first = await handler('parcels', 'nats-handler/handler.mjs', { SHIPPED_IN: book });
      const placed = await publish('shop.order.placed', '{"order":"A-7","items":3}', 'A-7', 'o-1');
      expect(placed).toMatchObject({ outcome: 'started', runs: [{ branch: 'main' }] });
      const run = placed.runs[0]?.run ?? '';

      await first.said((line) => (line === `weigh of ${run}: taken` ? true : undefined));
      await first.kill();
      const second = await handler('parcels-2', 'nats-handler/handler.mjs', { SHIPPED_IN: book });
      await reaches(run, 'waiting');
      expect(await publish('shop.order.paid', '{"cents":1850}', 'a-7', 'p-0')).toMatchObject({
        outcome: 'near_miss',
        nearMisses: [{ clause: 'key', expected: 'A-7', got: 'a-7' }],
      });
      expect(await publish('shop.order.paid', '{"cents":1850}', 'A-7', 'p-1')).toMatchObject({
        outcome: 'woke',
        runs: [{ run, wait: 'paid' }],
      });
      await reaches(run, 'complete');

      expect(await publish('shop.order.paid', '{"cents":1850}', 'A-7', 'p-1')).toMatchObject({ outcome: 'woke', runs: [{ run }] }); // Told again.
      expect(await cairn('run', 'start', 'parcel', '--key', 'A-7', '--input', '{"order":"A-7","items":3}', '--wait')).toMatchObject({
        output: { grams: 360, label: 'L-A-7' },
      });
      expect(readFileSync(book, 'utf8')).toBe('parcel:A-7 360\n');
      const { items } = await cairn<{ items: readonly object[] }>('retry', 'explain', run);
      expect(items).toMatchObject([{ step: 'weigh', decided: { decision: 'retry', bucket: 'handler_lost' } }]);
      expect(await types(run)).toEqual(expect.arrayContaining(['AttemptTaken', 'EffectIntended', 'EffectConfirmed']));
      expect(await second.end()).toBe(0);
    },
    LIMIT_MS,
  );

  it(
    'the new client: a failure that does not say what it did outside leaves the effect unknown, to a person, and nobody tries again',
    async () => {
      await apply('nats-handler');
      const shipper = await handler('parcels-3', 'nats-handler/handler.mjs', {
        SHIPPED_IN: join(stack.data, 'no-such-folder', 'shipped.txt'),
      });
      const { runs } = await publish('shop.order.placed', '{"order":"A-8","items":1}', 'A-8', 'o-2');
      const run = runs[0]?.run ?? '';
      await reaches(run, 'waiting');
      await publish('shop.order.paid', '{}', 'A-8', 'p-2'); // The carrier's book cannot be written.
      await reaches(run, 'blocked');
      const happened = await types(run);
      expect(happened).toEqual(expect.arrayContaining(['StepFailed', 'EffectUnknown']));
      expect(happened.filter((type) => type === 'AttemptTaken')).toHaveLength(1);
      expect(await shipper.end()).toBe(0);
    },
    LIMIT_MS,
  );

  it(
    'the old client: succeeds, and fails in a way that a person sees',
    async () => {
      await apply('nats-2-handler');
      const slugs = await handler('slugs', 'nats-2-handler/handler.mjs');
      const good = await cairn('run', 'start', 'page-address', '--input', '{"title":"Élan vital, 2nd ed."}', '--wait');
      expect(good).toMatchObject({ outcome: 'succeeded', output: 'elan-vital-2nd-ed' });
      const { runId } = await cairn<{ runId: string }>('run', 'start', 'page-address', '--input', '{"title":"!!"}');
      expect(await reaches(runId, 'escalated')).toMatchObject({ sub: 'recovery' });
      expect(await slugs.end()).toBe(0);
    },
    LIMIT_MS,
  );

  it(
    'Python over HTTP',
    async () => {
      if (spawnSync('python3', ['--version']).status !== 0) return notRun('python-handler', 'needs python3; apt-get install python3');
      await apply('python-handler');
      const env = { ...process.env, CAIRN_URL: stack.url, CAIRN_TOKEN: stack.token };
      const python = spawn('python3', [example('python-handler/handler.py')], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
      const gone = new Promise((resolve) => python.once('exit', resolve));
      try {
        const good = await cairn('run', 'start', 'screen-vendor', '--key', 'V-7', '--input', '{"name":"Brightwater"}', '--wait');
        expect(good).toMatchObject({ outcome: 'succeeded', output: { by: expect.stringMatching(/^python 3/) } });
      } finally {
        python.kill();
        await gone;
      }
    },
    LIMIT_MS,
  );
});
