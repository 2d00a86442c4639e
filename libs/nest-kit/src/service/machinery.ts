import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health } from '../health.js';

export interface MachineryParts {
  readonly health: Health;
  /** Prometheus's text format. */
  readonly render: () => Promise<string>;
  readonly contentType: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** Where a process without doors for people is watched. */
export interface Machinery {
  /** `http://127.0.0.1:9464` */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `/healthz`, `/readyz` and `/metrics`. Rejects with node's `EADDRINUSE` and the like. */
export async function serveMachinery(parts: MachineryParts): Promise<Machinery> {
  const server = createServer((request, response) => {
    void answer(parts, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(parts.port, parts.host, listening);
  });
  const { address, family, port } = server.address() as AddressInfo;
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`, close: () => closed(server) };
}

async function answer({ health, render, contentType }: MachineryParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET') return say(response, 405, 'text/plain', 'only GET\n');
  switch (request.url) {
    case '/healthz':
      return say(response, 200, 'application/json', '{"live":true}');
    case '/readyz': {
      const report = await health.readiness();
      return say(response, report.ready ? 200 : 503, 'application/json', JSON.stringify(report));
    }
    case '/metrics':
      return say(response, 200, contentType, await render());
    default:
      return say(response, 404, 'text/plain', 'there is /healthz, /readyz and /metrics\n');
  }
}

function say(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
