import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Problem } from '@cairn/contracts';
import { findServer, type Connection, type ConnectionOptions } from '@cairn/sdk/connection';
import { problem, Refusal, refused, unreachable } from './refusal.js';

/** Longer than any long poll of the server. */
const ANSWER_MS_MAX = 60_000;

export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/v1/<ns>`, with its query. */
  readonly path: string;
  readonly body?: unknown;
  /** A body that is no JSON. Its type stands in `headers`. */
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** HTTP to one server, as the CLI needs it: JSON both ways, every refusal thrown as a `Refusal` with its exit code. */
export class Client {
  readonly connection: Connection;

  constructor(options: ConnectionOptions, env: NodeJS.ProcessEnv) {
    this.connection = findServer(options, env);
  }

  async get<T>(path: string): Promise<T> {
    return (await this.#json<T>({ method: 'GET', path })).body;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    return (await this.#json<T>({ method: 'POST', path, body })).body;
  }

  /** Sends bytes as they are. */
  async postBytes<T>(path: string, bytes: Uint8Array, contentType: string): Promise<{ readonly status: number; readonly body: T }> {
    return this.#json<T>({ method: 'POST', path, bytes, headers: { 'content-type': contentType } });
  }

  /** The status tells what happened: 201 made, 200 was there. */
  put<T>(path: string, body: unknown): Promise<{ readonly status: number; readonly body: T }> {
    return this.#json<T>({ method: 'PUT', path, body });
  }

  /** A successful response whose body has not been read: for streams. Without an idle limit: a stream may be silent for days. */
  async open(sent: Sent): Promise<IncomingMessage> {
    const response = await this.#send(sent, 0);
    if (response.statusCode === 200) return response;
    throw refused(parseProblem(await textOf(response), response.statusCode ?? 0));
  }

  async #json<T>(sent: Sent): Promise<{ readonly status: number; readonly body: T }> {
    const response = await this.#send(sent, ANSWER_MS_MAX);
    let text: string;
    try {
      text = await textOf(response);
    } catch (error) {
      throw unreachable(this.connection.url, reason(error));
    }
    const status = response.statusCode ?? 0;
    if (status >= 400) throw refused(parseProblem(text, status));
    try {
      return { status, body: JSON.parse(text) as T };
    } catch {
      throw unreachable(this.connection.url, 'what answers there is not Cairn');
    }
  }

  async #send(sent: Sent, timeoutMs: number): Promise<IncomingMessage> {
    const { url, token, ns } = this.connection;
    const address = parseUrl(`${url}/v1/${encodeURIComponent(ns)}/${sent.path}`);
    const body = sent.bytes ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body));
    const send = address.protocol === 'https:' ? (await import('node:https')).request : httpRequest;
    return new Promise((resolve, reject) => {
      const headers = {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...sent.headers,
      };
      // A connection for each request: one that is kept may be closed by the server at the moment it is used again, and what was sent then
      // would seem to have found nobody.
      const options = { method: sent.method, headers, agent: false as const, ...(timeoutMs === 0 ? {} : { timeout: timeoutMs }) };
      const request = send(address, options, resolve);
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', (error) => reject(unreachable(url, reason(error))));
      request.end(body);
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function parseProblem(text: string, status: number): Problem {
  try {
    const document = JSON.parse(text) as Problem;
    if (typeof document.detail === 'string' && typeof document.code === 'string') return { ...document, status };
  } catch {
    // A proxy's page, say: the status is all that is known.
  }
  return problem('unexpected_answer', status, `The server answered with status ${status}.`);
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new Refusal(problem('usage', 400, `--url: '${text}' is no URL.`), 2);
  }
}

/** By its shape: an error of node's own may come from another realm. */
const reason = (error: unknown): string => {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return code ?? message ?? 'unknown';
};
