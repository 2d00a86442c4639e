// Goal: what is too large for a reply arrives whole or not at all. Method: a server in miniature over real sockets, with a store that the
// spec may spoil.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CloudEvent, ExchangeRequest, ReplyData, TaskData } from '@cairn/contracts';
import { waitUntil } from '@cairn/testkit';
import { ArtifactError, handler, serve, type Handler, type Worker } from '@cairn/sdk';
import { taskOf } from './scripted-replica.js';

class SmallServer {
  readonly stored = new Map<string, Buffer>();
  readonly replies: CloudEvent<ReplyData>[] = [];
  readonly puts: { readonly path: string; readonly type: string | undefined; readonly token: string | undefined }[] = [];
  tasks: CloudEvent<TaskData>[] = [];
  /** Statuses of the next answers to artifacts, before they are dealt with. */
  faults: number[] = [];
  private readonly server: Server = createServer((request, response) => this.serve(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      if (request.url?.includes('/artifacts/') === true) this.artifact(request, response, body);
      else this.frame(JSON.parse(body.toString()) as ExchangeRequest, response);
    });
  }

  private artifact({ method, url = '', headers }: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const sha256 = url.split('/').at(-1) ?? '';
    if (method === 'PUT') this.puts.push({ path: url, type: headers['content-type'], token: headers.authorization });
    const fault = this.faults.shift();
    if (fault !== undefined) return void response.writeHead(fault).end(JSON.stringify({ code: 'x', detail: `status ${fault}` }));
    if (method === 'PUT') {
      this.stored.set(sha256, body);
      return void response.writeHead(201).end('{}');
    }
    const bytes = this.stored.get(sha256);
    if (bytes === undefined) response.writeHead(404).end(JSON.stringify({ code: 'artifact_not_found', detail: 'none' }));
    else response.end(bytes);
  }

  private frame({ seq, replies }: ExchangeRequest, response: ServerResponse): void {
    this.replies.push(...replies);
    const answer = { seq, accepted: replies.map(({ id }) => id), late: [], forwarded: [], tasks: this.tasks.splice(0) };
    setTimeout(() => response.end(JSON.stringify(answer)), 5);
  }
}

describe('artifacts of a handler', () => {
  let server: SmallServer;
  let worker: Worker;
  let url: string;
  beforeEach(async () => {
    server = new SmallServer();
    url = await server.start();
  });
  afterEach(async () => {
    await worker.stop();
    await server.stop();
  });

  async function replyOf(one: Handler, more: Partial<TaskData> = {}): Promise<ReplyData | undefined> {
    server.tasks = [taskOf(1, more)];
    worker = serve({ url, token: 't', ns: 'default', signals: false, graceMs: 200, say: () => undefined }, [one]);
    await waitUntil('there is a reply', () => server.replies.length > 0);
    return server.replies[0]?.data;
  }

  it('takes an output over 64 KiB, and the reply names it', async () => {
    const output = { text: 'ü'.repeat(50_000) };
    const data = await replyOf(handler('q', (task) => task.result(output, { evidence: 'e' })));
    const text = JSON.stringify(output);
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(data).toMatchObject({
      output: { artifact: `sha256:${sha256}`, bytes: Buffer.byteLength(text), mediaType: 'application/json' },
      evidence: 'e',
    });
    expect(server.stored.get(sha256)?.toString()).toBe(text);
    expect(server.puts).toEqual([{ path: `/v1/default/artifacts/${sha256}`, type: 'application/json', token: 'Bearer t' }]);
  });

  it('puts it again while the store is away, and holds the attempt meanwhile', async () => {
    server.faults = [503, 503];
    const data = await replyOf(handler('q', () => 'x'.repeat(70_000)));
    expect(data?.output).toMatchObject({ bytes: 70_002 });
    expect(server.puts).toHaveLength(3);
  });

  it.each([
    ['refused', 413, { code: 'invalid_output', bucket: 'invalid_output', message: expect.stringContaining('status 413') }],
    ['away for longer than the step may take', 503, { code: 'artifact_unavailable', bucket: 'network', sideEffect: 'applied' }],
  ])('fails the attempt when the store is %s', async (_, status, failure) => {
    server.faults = Array.from({ length: 1_000 }, () => status);
    const effect = { key: 'k', fingerprint: 'ab'.repeat(32), guarantee: 'idempotent' } as const;
    const data = await replyOf(
      handler('q', () => 'x'.repeat(70_000)),
      { kind: 'effect', effect, timeoutMs: 400 },
    );
    expect(data?.failure).toMatchObject(failure);
  });

  it('puts and gets bytes of a handler, checked by their digest', async () => {
    const bytes = randomBytes(100_000);
    let spoiled: unknown;
    const data = await replyOf(
      handler('q', async (task) => {
        const report = await task.artifact.put(bytes, 'application/pdf');
        const again = await task.artifact.get(report);
        server.stored.set(report.artifact.slice('sha256:'.length), Buffer.from('other bytes'));
        spoiled = await task.artifact.get(report.artifact).catch((error: unknown) => error);
        return { report, same: bytes.equals(again) };
      }),
    );
    expect(data?.output).toMatchObject({ report: { bytes: 100_000, mediaType: 'application/pdf' }, same: true });
    expect(spoiled).toBeInstanceOf(ArtifactError);
    expect(spoiled).toMatchObject({ code: 'artifact_corrupt' });
  });

  it('says that there is no such artifact', async () => {
    const data = await replyOf(handler('q', async (task) => task.artifact.get(`sha256:${'0'.repeat(64)}`)));
    expect(data?.failure).toMatchObject({ code: 'artifact_not_found' });
  });
});
