// Goal: C-SURVIVE on the embedded default. A run of at least 30 events is hit by SIGKILL of the server at each of its revisions, before
// or after the append that holds it; outcome, output, the outputs of all steps and the status of each effect by its key are those of a
// run that nobody touched. The run retries, and has an effect of each guarantee: the handlers count what they were asked for (E-2).
// Method: two data folders beside each other (what costs is starting servers, and there are two cores), each with one handler process
// that outlives all its servers. Each server process starts one run and dies at its point; the next one takes up what was left.
// Attempts, times and ids may differ.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil, within } from '@cairn/testkit';
import { call, root, Spawned, spawnServer, urlOf } from './processes.js';

const task = (id: string, n: string | number, more: object = {}): object => ({ id, task: { queue: 'survive' }, input: { n }, ...more });
const effect = (id: string, guarantee: string): object => ({
  id,
  purpose: 'book once',
  effect: { queue: 'survive-pay', key: `${id}:\${input.key}`, guarantee },
  input: { key: '${input.key}' },
  retry: 'survive-quick',
});
/** Quick, so that retries cost little here. */
const policy = {
  cairn: 1,
  policy: 'survive-quick',
  buckets: {
    network: { retry: true, attempts: 3, expects: 'time_passes', backoff: { kind: 'fixed', first: '100ms' } },
    handler_lost: { retry: true, attempts: 5, expects: 'another_handler', backoff: { kind: 'fixed', first: '100ms' } },
    unclassified: { retry: false, escalate: 'triage' },
  },
  onExhausted: ['block'],
};
const deadline = { deadline: '1h', onDeadline: { fail: 'timeout' } };
const on = (type: string): object => ({ event: { type, key: '${input.key}' } });

const definition = {
  cairn: 1,
  name: 'survive',
  version: '1.0.0',
  goal: 'Survive ${input.key}',
  steps: [
    task('a', 1, { checkpoint: 'begun' }),
    { id: 'early', wait: { any: [on('survive.early')], ...deadline } },
    task('b', '${steps.early.output.data.n}'),
    { id: 'pause', wait: { any: [{ timer: 200 }], ...deadline } },
    task('c', '${steps.b.output.sum}', { after: ['b'] }),
    task('d', '${steps.c.output.sum}', { after: ['pause', 'c'] }),
    { id: 'late', wait: { all: [on('survive.late'), { signal: 'go' }], ...deadline } },
    { id: 'poll', task: { queue: 'survive-poll' }, repeat: { until: 'output.done', max: 5 } },
    { id: 'tell', emit: { type: 'survive.told', key: '${input.key}', data: { d: '${steps.d.output.sum}' } } },
    { id: 'flaky', task: { queue: 'survive-flaky' }, input: { key: '${input.key}' }, retry: 'survive-quick' },
    effect('once', 'none'),
    effect('keyed', 'idempotent'),
    task('e', '${steps.d.output.sum}', { optional: true }),
    task('f', '${steps.e.output.sum}', { checkpoint: 'done' }),
  ],
  output: { value: { f: '${steps.f.output.sum}', late: '${steps.late.output[0].trigger}' } },
};

interface State {
  readonly state: string;
  readonly sub: string;
  readonly ledger: { readonly effects: Record<string, { readonly status: string; readonly suffix: number }> };
  readonly path: { readonly steps: Record<string, { readonly status: string; readonly output: Json }> };
}
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface History {
  readonly branches: { readonly events: { readonly type: string; readonly data: { readonly output?: Json } }[] }[];
}

/** What must be equal: ids and times of what came are the run's own. */
function outcomeOf(state: State, history: History): unknown {
  const steps = Object.fromEntries(
    Object.entries(state.path.steps).map(([step, { status, output }]) => [
      step,
      { status, output: ['early', 'late', 'pause', 'tell'].includes(step) ? '…' : output },
    ]),
  );
  const end = history.branches[0]?.events.findLast(({ type }) => type.startsWith('Run'));
  const effects = Object.entries(state.ledger.effects).map(([key, { status, suffix }]) => `${key.split(':')[0]} ${status} ${suffix}`);
  return { state: state.state, sub: state.sub, effects: effects.sort(), steps, end: end?.type, output: end?.data.output };
}

/** For one run's way to its end, or one server's to its crash point: a lost handler is seen after three beats, starts share two cores. */
const PATIENCE_MS = 60_000;

/** One data folder with the servers that follow each other on it, and the handlers that outlive them. */
class House {
  private constructor(
    private readonly data: string,
    private readonly handlers: Spawned,
    private server: Spawned,
    private url: string,
  ) {}

  static async build(data: string): Promise<House> {
    const server = spawnServer(data);
    const url = await urlOf(server);
    const handlers = Spawned.start(join(root, 'test/system/survive-handlers.mjs'), [data]);
    const house = new House(data, handlers, server, url);
    try {
      await handlers.firstLine;
      expect(await house.ask('PUT', 'policies/survive-quick', policy)).toMatchObject({ status: 201 });
      expect(await house.ask('PUT', 'definitions/survive', definition)).toMatchObject({ status: 201 });
      return house;
    } catch (error) {
      await house.tearDown();
      throw error;
    }
  }

  async tearDown(): Promise<void> {
    await this.handlers.kill();
    await this.server.kill();
  }

  /** Kills the server and starts the next one, which dies by its own hand at the point; resolves when it is dead. */
  async crashAt(point: string): Promise<void> {
    await this.server.kill();
    this.server = spawnServer(this.data, { NODE_ENV: 'test', CAIRN_CRASH_AT: point });
    const url = await urlOf(this.server).catch(() => undefined);
    // A run whose start was cut off is started by the sweep, and may reach the point before the server listens.
    if (url !== undefined) {
      this.url = url;
      await this.startAndFeed(point).catch(() => undefined); // It may die before it can answer.
    }
    expect(await within(`the server's death at ${point}`, this.server.exited, PATIENCE_MS)).toMatchObject({ signal: 'SIGKILL' });
  }

  async restart(): Promise<void> {
    await this.server.kill();
    this.server = spawnServer(this.data);
    this.url = await urlOf(this.server);
  }

  /**
   * Starts a run and sends everything that it will wait for at once, so that some of it comes early. Idempotent by key and event ids:
   * whoever got no answer does it again, and it counts once.
   */
  async startAndFeed(key: string): Promise<string> {
    const { body } = await this.ask<{ runId: string }>('POST', 'workflows/survive/runs', { key, input: { key } });
    for (const type of ['survive.early', 'survive.late']) {
      const event = { specversion: '1.0', id: `${type}-${key}`, source: '/survive', type, cairnkey: key, data: { n: 10 } };
      await this.ask('POST', 'events', event);
    }
    await this.ask('POST', `runs/${body.runId}/signals/go`, {});
    return body.runId;
  }

  /** Waits for the end; gives what must be equal, and how many events it took. */
  async outcome(key: string, runId: string): Promise<{ readonly outcome: unknown; readonly events: number; readonly violations: unknown }> {
    const isComplete = async (): Promise<boolean> => (await this.ask<{ state: string }>('GET', `runs/${runId}`)).body.state === 'complete';
    await waitUntil(`the run ${key} is complete`, isComplete, PATIENCE_MS);
    const state = await this.ask<State>('GET', `runs/${runId}/state`);
    const history = await this.ask<History>('GET', `runs/${runId}/history`);
    const verified = await this.ask<{ violations: unknown }>('GET', `runs/${runId}/verify?when=quiescent`);
    return {
      outcome: outcomeOf(state.body, history.body),
      events: history.body.branches[0]?.events.length ?? 0,
      violations: verified.body.violations,
    };
  }

  private ask<T>(method: string, path: string, body?: unknown): ReturnType<typeof call<T>> {
    return call<T>(this.data, this.url, method, path, body);
  }
}

describe('a run outlives its server (C-SURVIVE)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-survive-'));
  let houses: readonly House[] = [];

  beforeAll(async () => {
    houses = await Promise.all(['one', 'two'].map((name) => House.build(join(folder, name))));
  }, 300_000);

  afterAll(async () => {
    await Promise.all(houses.map((house) => house.tearDown()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('whatever revision it is killed at', async () => {
    const [first] = houses;
    if (first === undefined) throw new Error('no house was built');
    const untouched = await first.outcome('reference', await first.startAndFeed('reference'));
    expect(untouched.events).toBeGreaterThanOrEqual(40);
    expect(untouched.outcome).toMatchObject({ sub: 'succeeded', effects: ['keyed confirmed 0', 'once confirmed 0'] });
    expect(untouched.violations).toEqual([]);

    // Before and after in pairs: neither house gets one kind alone.
    const points = Array.from(
      { length: untouched.events },
      (_, revision) => `${revision % 2 === 0 ? 'before' : 'after'}-append:${revision}`,
    );
    await Promise.all(
      houses.map(async (house, index) => {
        const own = points.filter((_, revision) => Math.floor(revision / 2) % houses.length === index);
        for (const point of own) await house.crashAt(point);
        await house.restart();
        for (const point of own) {
          const { outcome, violations } = await house.outcome(point, await house.startAndFeed(point));
          expect([point, outcome]).toEqual([point, untouched.outcome]);
          expect([point, violations]).toEqual([point, []]);
        }
      }),
    );
  }, 600_000);
});
