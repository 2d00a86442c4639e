import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Bodies of these two services are small; more than this is refused. */
const BODY_BYTES_MAX = 262_144;

/** A small HTTP service on loopback: says where it listens, in one line that others wait for, and answers JSON. */
export function listen(name: string, port: number, answer: (request: Asked) => Promise<Answered> | Answered): void {
  const server = createServer((request, response) => {
    void asked(request)
      .then(answer)
      .catch((error: unknown) => ({ status: 400, body: { error: String(error) } }))
      .then((result) => reply(response, result));
  });
  server.listen(port, '127.0.0.1', () => console.log(`${name} at http://127.0.0.1:${(server.address() as AddressInfo).port}`));
}

export interface Asked {
  readonly path: string;
  readonly idempotencyKey: string | undefined;
  readonly body: unknown;
}

export interface Answered {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** The port of the command line: `--port 4501`; 0 takes a free one. */
export function portOf(args: readonly string[], otherwise: number): number {
  const index = args.indexOf('--port');
  return index < 0 ? otherwise : Number(args[index + 1]);
}

async function asked(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new Error('the body is too large');
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const key = request.headers['idempotency-key'];
  return {
    path: `${request.method} ${request.url}`,
    idempotencyKey: typeof key === 'string' ? key : undefined,
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

function reply(response: ServerResponse, { status, headers = {}, body }: Answered): void {
  if (response.destroyed) return; // Whoever asked is gone.
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
