import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json, JsonObject } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { startStandalone, type Standalone } from '../standalone.js';

export interface Got {
  readonly status: number;
  readonly json: JsonObject;
}

export interface Task {
  readonly data: JsonObject & { readonly lease: { readonly attemptId: string } };
}

/**
 * What a decider is told of a decision that stands: that the run has taken it, or `pending`, where the machine held the run up for longer than
 * he is kept waiting. Whether it was taken is seen in what the run does next.
 */
export const TAKEN = /^(yes|pending)$/;

/** All services on a data folder of their own, one definition, and the spec as user and as handler over HTTP. */
export class GivenServer {
  private constructor(
    private readonly data: string,
    readonly server: Standalone,
  ) {}

  static async start(definition: { readonly name: string }): Promise<GivenServer> {
    const data = await mkdtemp(join(tmpdir(), 'cairn-spec-'));
    const given = new GivenServer(data, await startStandalone({ data, port: 0, logLevel: 'silent' }));
    const { status } = await given.call('PUT', `definitions/${definition.name}`, definition);
    if (status !== 201) throw new Error(`definition ${definition.name} was answered with ${status}`);
    return given;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await rm(this.data, { recursive: true });
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Got> {
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`${this.server.url}/v1/default/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.server.token}`, ...type, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as JsonObject };
  }

  async get(path: string): Promise<JsonObject> {
    return (await this.call('GET', path)).json;
  }

  /** The next task of a queue. */
  async take(queue: string): Promise<Task> {
    const { tasks } = (await this.call('POST', `work/${queue}:poll`, { max: 1, waitMs: 30_000 })).json as unknown as {
      readonly tasks: readonly Task[];
    };
    if (tasks[0] === undefined) throw new Error(`no task on ${queue}`);
    return tasks[0];
  }

  /** A handler's bad answer: with a failure that no policy recognises, unless it says more. */
  async fail({ data: { lease } }: Task, failure: JsonObject = { message: 'it did not work' }): Promise<JsonObject> {
    const reply = { specversion: '1.0', id: `${lease.attemptId}:end`, source: '/spec/1', type: 'cairn.reply.failed.v1' };
    return (await this.call('POST', `work/${lease.attemptId}:reply`, { ...reply, data: { lease, failure } })).json;
  }

  /** Asks again until an answer fits: what another service does comes when it comes. */
  async until<T>(ask: () => Promise<T | undefined>): Promise<T> {
    let got: T | undefined;
    await waitUntil(`it comes: ${ask.toString()}`, async () => (got = await ask()) !== undefined);
    return got as T;
  }

  /** A handler's good answer. */
  async answer({ data: { lease } }: Task, output: Json): Promise<JsonObject> {
    const reply = { specversion: '1.0', id: `${lease.attemptId}:end`, source: '/spec/1', type: 'cairn.reply.succeeded.v1' };
    return (await this.call('POST', `work/${lease.attemptId}:reply`, { ...reply, data: { lease, output } })).json;
  }
}
