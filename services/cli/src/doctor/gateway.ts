import { request } from 'node:http';
import { connect } from 'node:net';
import { failed, ok, unreachable, type Finding } from './finding.js';
import { startCommand, type Patient } from './patient.js';

/** A process whose event loop turns answers far sooner. */
const ANSWER_MS = 3_000;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What the gateway shows of itself. */
export interface SeenGateway {
  readonly findings: readonly Finding[];
  /** Whether it says of a bus how that is, which a `cairn dev` has in its memory. Absent where no gateway answers, or one that ends. */
  readonly hasBus?: boolean;
}

/** Whether the gateway lives and is ready, and whether somebody else has its port. */
export async function checkGateway(patient: Patient): Promise<SeenGateway> {
  const { url } = patient;
  const live = await get(`${url}/healthz`);
  if (live === undefined) {
    const taken = await listens(url);
    const silent = unreachable('gateway', `nobody answers at ${url}`, startCommand(patient));
    if (!taken) return { findings: [silent, ok('port', `${portOf(url)} is free`)] };
    const mute = failed('port', `something that does not speak HTTP has the port of ${url}`, anotherPort(patient));
    return { findings: [silent, mute] };
  }
  if (live.status !== 200 || (live.body as { live?: unknown } | undefined)?.live !== true) {
    return { findings: [failed('port', `what answers at ${url} is not Cairn (status ${live.status})`, anotherPort(patient))] };
  }
  const ready = await get(`${url}/readyz`);
  const parts = (ready?.body as { parts?: Record<string, string> } | undefined)?.parts;
  // One that drains says only that.
  const seen: Pick<SeenGateway, 'hasBus'> = parts === undefined || 'process' in parts ? {} : { hasBus: 'bus' in parts };
  if (ready?.status === 200) return { findings: [ok('gateway', `live and ready at ${url}`)], ...seen };
  const why = Object.entries(parts ?? {}).map(([part, says]) => `${part}: ${says}`);
  const others = Object.entries(parts ?? {}).filter(([part, says]) => part !== 'store' && says !== 'ready');
  const stack = patient.stack || seen.hasBus === true;
  // Services find a store again by themselves; to start them anew would help nobody.
  const storeAlone = stack && others.length === 0 && why.length > 0;
  const fix = storeAlone ? 'start the event store that is named below' : startCommand({ ...patient, stack });
  return { findings: [failed('gateway', `lives at ${url} and is not ready`, fix, why)], ...seen };
}

const anotherPort = ({ stack }: Patient): string => (stack ? 'CAIRN_PORT=0 npm run stack' : 'npx cairn dev --port 0');
const portOf = (url: string): string => `port ${new URL(url).port || '80'}`;

/** `undefined` if nothing that speaks HTTP answers. */
export function get(url: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const asked = request(url, { timeout: ANSWER_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString()) }));
      response.on('error', () => resolve(undefined));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.end();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port || 80), timeout: ANSWER_MS });
    const end = (taken: boolean) => (): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false));
  });
}
