import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HangUp } from '@cairn/contracts';
import { hungUp } from './hung-up.js';

describe('hungUp', () => {
  let server: Server;
  let asked: Promise<{ readonly gone: HangUp; readonly response: ServerResponse }>;

  beforeEach(async () => {
    asked = new Promise((resolve) => {
      server = createServer((incoming: IncomingMessage, response) => {
        const gone = hungUp(response);
        incoming.resume().once('end', () => resolve({ gone, response }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const ask = (): ReturnType<typeof request> => {
    const { port } = server.address() as AddressInfo;
    const asking = request({ port, host: '127.0.0.1', method: 'POST' });
    asking.on('error', () => undefined); // The connection is cut on purpose.
    return asking.end('{}');
  };

  it('aborts when the client goes away while it waits', async () => {
    const asking = ask();
    const { gone } = await asked;
    expect(gone.aborted).toBe(false);
    asking.destroy();
    await new Promise<void>((resolve) => gone.addEventListener('abort', resolve));
    expect(gone.aborted).toBe(true);
  });

  it('does not after an answer, whenever the connection ends', async () => {
    const asking = ask();
    const { gone, response } = await asked;
    const closed = new Promise((resolve) => response.once('close', resolve));
    response.end('{}');
    asking.destroy();
    await closed;
    expect(gone.aborted).toBe(false);
  });
});
