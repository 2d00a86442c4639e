// Goal: C-EFFECT with guarantee `none` (F-7): the handler is killed after the booking and before its reply. One request, no second call;
// the run is blocked(effect_unknown), and `why` says so. Method: the payment server and the handlers of the demo, real processes, SIGKILL.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '@cairn/testkit';
import { call, root, Spawned, startServer } from './processes.js';

const example = join(root, 'examples/document-approval/dist');
const PATIENCE_MS = 60_000;

const definition = {
  cairn: 1,
  name: 'pay-once',
  version: '1.0.0',
  steps: [
    {
      id: 'pay',
      purpose: 'pay the deposit',
      effect: { queue: 'payments', key: 'deposit:${input.vendor}', guarantee: 'none' },
      input: { vendor: '${input.vendor}', amountUsd: 5 },
    },
  ],
};

interface View {
  readonly state: string;
  readonly sub?: string;
  readonly says?: string;
}
interface History {
  readonly branches: { readonly events: { readonly type: string }[] }[];
}

describe('an effect with guarantee none', () => {
  let folder: string;
  let url: string;
  let started: Spawned[];
  let paymentsUrl: string;

  const ask = <T>(method: string, path: string, body?: unknown) => call<T>(join(folder, 'data'), url, method, path, body);
  const spawn = (script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Spawned => {
    const one = Spawned.start(join(example, script), args, env);
    started.push(one);
    return one;
  };
  const handlers = (): Spawned =>
    spawn('handlers.js', [], { CAIRN_DATA: join(folder, 'data'), CAIRN_URL: '', CAIRN_TOKEN: '', PAYMENTS_URL: paymentsUrl });
  const ledger = (kind: string): number =>
    existsSync(join(folder, 'ledger'))
      ? readFileSync(join(folder, 'ledger'), 'utf8').split('\n').filter((line) => line.includes(`"kind":"${kind}"`)).length // prettier-ignore
      : 0;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-effect-'));
    started = [];
    const payments = spawn('services/payments.js', ['--port', '0', '--first-answer-after', '60000'], {
      PAYMENTS_LEDGER: join(folder, 'ledger'),
    });
    paymentsUrl = (await payments.firstLine).split(' at ')[1] ?? '';
    const server = await startServer(join(folder, 'data'));
    started.push(server.process);
    url = server.url;
    expect((await ask('PUT', 'definitions/pay-once', definition)).status).toBe(201);
  }, 300_000);

  afterEach(async () => {
    await Promise.all(started.map((one) => one.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('whose handler dies after the booking is never called again: one request, blocked(effect_unknown)', async () => {
    const first = handlers();
    const { body } = await ask<{ runId: string }>('POST', 'workflows/pay-once/runs', { input: { vendor: 'V-1' } });
    await waitUntil('it is booked', () => ledger('booking') === 1, PATIENCE_MS);
    await first.kill();
    handlers(); // Another one is there at once, and gets nothing.
    const isBlocked = async (): Promise<boolean> => (await ask<View>('GET', `runs/${body.runId}`)).body.state === 'blocked';
    await waitUntil('the run is blocked', isBlocked, PATIENCE_MS);
    expect((await ask<View>('GET', `runs/${body.runId}`)).body).toMatchObject({ state: 'blocked', sub: 'effect_unknown' });

    // It is blocked before retry-policy has said what it makes of the failure.
    const history = async (): Promise<readonly string[]> =>
      ((await ask<History>('GET', `runs/${body.runId}/history`)).body.branches[0]?.events ?? []).map(({ type }) => type);
    await waitUntil('the failure is judged', async () => (await history()).includes('RetryDecided'), PATIENCE_MS);
    expect(await history()).toEqual([
      'RunStarted',
      'CheckpointReached',
      'StepStarted',
      'EffectIntended',
      'AttemptTaken',
      'StepFailed',
      'EffectUnknown',
      'RetryDecided',
    ]);
    expect([ledger('request'), ledger('booking')]).toEqual([1, 1]);
    expect((await ask<View>('GET', `runs/${body.runId}/why`)).body.says).toContain('deposit:V-1');
    const { body: verified } = await ask<{ violations: unknown[] }>('GET', `runs/${body.runId}/verify?when=quiescent`);
    expect(verified.violations).toEqual([]);
  }, 300_000);

  it('that nobody has taken yet is no loss: it waits for its handler, and is asked for once', async () => {
    const { body } = await ask<{ runId: string }>('POST', 'workflows/pay-once/runs', { input: { vendor: 'V-2' } });
    handlers();
    await waitUntil('it is booked', () => ledger('booking') === 1, PATIENCE_MS);
    expect((await ask<View>('GET', `runs/${body.runId}`)).body.state).toBe('active');
  }, 300_000);
});
