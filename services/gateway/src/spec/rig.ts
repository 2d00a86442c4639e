import { Folds } from '@cairn/application';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { createMemoryBus } from '@cairn/bus-memory';
import {
  busStreams,
  humanReviewCommands,
  retryPolicyCommands,
  schedulingCommands,
  schedulingIntake,
  type ExchangeRequest,
  type WorkDesk,
} from '@cairn/contracts';
import { createMemoryEventStore, type MemoryEventStore } from '@cairn/event-store-memory';
import type { JsonObject } from '@cairn/kernel';
import { createHttpApplication, createLog, Health, PortsModule } from '@cairn/nest-kit';
import { done, type IncomingMessage } from '@cairn/ports';
import { createMemoryArtifacts, createRecordingMetrics } from '@cairn/simulated';
import { hmacCallbackTokens, systemClock, systemIds, systemRandomness } from '@cairn/system';
import { GATEWAY } from '../doors/gateway-token.js';
import { ProblemFilter } from '../doors/problem.filter.js';
import { GatewayModule } from '../gateway.module.js';
import type { Gateway, GatewayConfig } from '../assemble.js';
import { BEGIN } from './histories.js';

export const TOKEN = 'c'.repeat(64);
const DESK = Symbol('WorkDesk');

export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** `null`: none. */
  readonly token?: string | null;
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: JsonObject;
}

/** A gateway that listens for real, on a memory store and a memory bus. Its neighbours, scheduling, execution and retry-policy, are played by the spec. */
export interface Rig {
  readonly store: MemoryEventStore;
  readonly url: string;
  readonly port: number;
  /** Whatever reached scheduling and retry-policy, in order. */
  readonly asked: IncomingMessage[];
  /** Whatever reached execution's desk. */
  readonly worked: { readonly call: string; readonly args: readonly unknown[] }[];
  readonly bugs: unknown[];
  /** What scheduling answers next and from then on; `undefined`: nothing. */
  answer: (message: IncomingMessage) => JsonObject | undefined;
  send(request: Sent): Promise<Got>;
  close(): Promise<void>;
}

export async function openRig({ holders = [] }: { readonly holders?: GatewayConfig['holders'] } = {}): Promise<Rig> {
  const store = createMemoryEventStore();
  const bus = createMemoryBus({ clock: systemClock, streams: busStreams });
  const asked: IncomingMessage[] = [];
  const worked: { call: string; args: readonly unknown[] }[] = [];
  const bugs: unknown[] = [];
  const handle = (message: IncomingMessage): Promise<typeof done> => {
    asked.push(message);
    const answer = rig.answer(message);
    return Promise.resolve(answer === undefined ? done : { kind: 'done', answer });
  };
  await bus.consume(schedulingIntake, handle);
  await bus.consume(schedulingCommands, handle);
  await bus.consume(retryPolicyCommands, handle);
  await bus.consume(humanReviewCommands, handle);

  const desk: WorkDesk = {
    exchange: (ns, frame: ExchangeRequest) => {
      worked.push({ call: 'exchange', args: [ns, frame] });
      return Promise.resolve({ seq: frame.seq, accepted: frame.replies.map(({ id }) => id), late: [], forwarded: [], tasks: [] });
    },
    poll: (...args) => {
      worked.push({ call: 'poll', args });
      return Promise.resolve([]);
    },
    heartbeat: (...args) => {
      worked.push({ call: 'heartbeat', args });
      return Promise.resolve(true);
    },
    queue: () => Promise.resolve({ handlers: 0, waiting: 1 }),
    holder: () => Promise.resolve(undefined),
    lostConnection: () => undefined,
    reply: (...args) => {
      worked.push({ call: 'reply', args });
      return Promise.resolve('late');
    },
  };
  // The wall stands still at the end of what `histories.ts` tells; timers are real.
  const clock = { ...systemClock, now: () => BEGIN + 60_000 };
  const metrics = createRecordingMetrics();
  const callbackTokens = hmacCallbackTokens([{ kid: 'k1', secret: Buffer.alloc(32, 7) }]);
  const ports = PortsModule.of({
    folds: new Folds(),
    store,
    bus,
    artifacts: createMemoryArtifacts(),
    callbackTokens,
    disposables: createMemoryArtifacts(),
    clock,
    ids: systemIds,
    randomness: systemRandomness,
    metrics,
  });
  const health = new Health();
  health.add('store', async () => void (await store.newest()));
  const module = GatewayModule.on(ports, {
    config: { namespaces: ['default', 'acme'], token: TOKEN, holders, hosts: [], origins: ['https://console.example'] },
    desk: { module: { module: DeskModule, providers: [{ provide: DESK, useValue: desk }], exports: [DESK] }, token: DESK },
    health,
    exposition: { contentType: 'text/plain', render: () => Promise.resolve('# nothing\n') },
    onBug: (bug) => bugs.push(bug),
  });
  const app = await createHttpApplication(module, {
    log: createLog({ service: 'gateway', level: 'silent' }),
    edge: GATEWAY,
    filter: (edge) => new ProblemFilter(edge as Gateway),
  });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;

  const rig: Rig = {
    store,
    port,
    url: `http://127.0.0.1:${port}`,
    asked,
    worked,
    bugs,
    answer: () => undefined,
    send: (sent) => send(port, sent),
    close: async () => {
      await app.close();
      await bus.close();
      health.close();
    },
  };
  return rig;
}

@Module({})
class DeskModule {}

function send(port: number, { method = 'GET', path, headers = {}, body, token = TOKEN }: Sent): Promise<Got> {
  return new Promise((resolve, reject) => {
    const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, headers: { ...authorization, ...type, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: text.startsWith('{') ? (JSON.parse(text) as JsonObject) : {},
          });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
