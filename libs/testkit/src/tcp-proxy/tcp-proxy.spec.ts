// Goal: each fault of a link does what it is called, to one direction alone, and a healed link is whole. Method: an echo server on loopback.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { waitUntil } from '../wait-until.js';
import { TcpProxy } from './tcp-proxy.js';

const LATENCY_MS = 150;
/** Longer than any spec runs: what is delayed so much does not come. */
const AN_HOUR_MS = 3_600_000;
/** Timers count from the event loop's own clock, in whole milliseconds: by the finer clock one may end so much early, each way. */
const TIMER_EARLY_MS = 2;

describe('TcpProxy', () => {
  let echo: Server;
  let heard: string;
  let proxy: TcpProxy;
  let client: Socket;
  let got: string;
  let heardAt: number;
  let gotAt: number;
  let gone: Error | true | undefined;

  beforeEach(async () => {
    heard = '';
    got = '';
    gone = undefined;
    echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        heard += bytes.toString();
        heardAt = performance.now();
        socket.write(bytes);
      });
    });
    await new Promise<void>((listening) => echo.listen(0, '127.0.0.1', listening));
    proxy = await TcpProxy.start(() => ({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port }));
    client = connect(proxy.port, '127.0.0.1');
    client.on('data', (bytes) => {
      got += bytes.toString();
      gotAt = performance.now();
    });
    client.on('error', (error) => (gone = error));
    client.on('close', () => (gone ??= true));
    client.write('a');
    await waitUntil('the link stands', () => got === 'a');
  });
  afterEach(async () => {
    client.destroy();
    await waitUntil('the client is gone', () => gone !== undefined && client.closed);
    await proxy.close();
    await new Promise((closed) => echo.close(closed));
  });

  it('passes bytes in order, both ways', async () => {
    const text = Array.from({ length: 20_000 }, (_, i) => String(i)).join(' ');
    client.write(text);
    await waitUntil('all came back', () => got === `a${text}`);
  });

  it.each(['requests', 'answers'] as const)('delays %s', async (way) => {
    proxy.spoil({ [way]: { latencyMs: LATENCY_MS } });
    const began = performance.now();
    client.write('b');
    await waitUntil('it came back', () => got === 'ab');
    const took = way === 'requests' ? heardAt - began : gotAt - heardAt;
    expect(took).toBeGreaterThanOrEqual(LATENCY_MS - TIMER_EARLY_MS);
  });

  it('delays one direction alone', async () => {
    proxy.spoil({ answers: { latencyMs: AN_HOUR_MS } });
    client.write('b');
    await waitUntil('it was heard', () => heard === 'ab');
    await waitUntil('the answer is under way', () => proxy.tally.answers.taken === 2);
    expect([got, proxy.tally.answers.passed]).toEqual(['a', 1]);
  });

  it('throttles', async () => {
    proxy.spoil({ requests: { bytesPerSecond: 1_000 } });
    const began = performance.now();
    client.write('x'.repeat(200));
    await waitUntil('all was heard', () => heard.length === 201);
    expect(performance.now() - began).toBeGreaterThanOrEqual(200 - TIMER_EARLY_MS);
  });

  it('lets requests pass and loses the answers (F-21)', async () => {
    proxy.spoil({ answers: { mute: 'drop' } });
    client.write('lost');
    await waitUntil('its answer is lost', () => proxy.tally.answers.lost === 'lost'.length);
    expect(heard).toBe('alost');
    proxy.heal();
    client.write('!');
    await waitUntil('the next answer comes', () => got === 'a!');
  });

  it('holds bytes until it is healed', async () => {
    proxy.spoil({ requests: { mute: 'hold' } });
    client.write('later');
    await waitUntil('it is held', () => proxy.tally.requests.taken === 'alater'.length);
    expect([heard, proxy.tally.requests.passed]).toEqual(['a', 1]);
    proxy.heal();
    await waitUntil('it came in the end', () => got === 'alater');
  });

  it('cuts the connection behind a number of bytes', async () => {
    proxy.spoil({ answers: { cutAfterBytes: 4 } }); // One has passed already.
    client.write('bcdefg');
    await waitUntil('it is cut', () => gone !== undefined);
    expect([heard, got]).toEqual(['abcdefg', 'abcd']);
    expect(proxy.tally.answers).toEqual({ taken: 7, passed: 4, lost: 3 });
  });

  it('resets what stands, and takes new connections', async () => {
    proxy.reset();
    await waitUntil('it is reset', () => gone !== undefined);
    expect(gone).toMatchObject({ code: 'ECONNRESET' });
    const next = connect(proxy.port, '127.0.0.1');
    next.write('n');
    await waitUntil('the next one is heard', () => heard === 'an');
    next.destroy();
    await waitUntil('nothing is left open', () => proxy.connections === 0);
  });
});
