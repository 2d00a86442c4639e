import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { z } from 'zod';
import { systemClock as clock, systemRandomness as randomness } from '@cairn/system';
import { readEnv, serviceEnv } from './config.js';
import { openNats } from './nats.js';

const INFO = { server_id: 'S', version: '2.12.7', proto: 1, headers: true, jetstream: true, max_payload: 1_048_576 };

describe('the connection of a service', () => {
  it('that is lost while it is tried is left, and made anew', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      const isFirst = sockets.push(socket) === 1;
      socket
        .on('error', () => undefined)
        .on('data', (bytes) => {
          const said = bytes.toString();
          if (isFirst && said.includes('SUB '))
            socket.destroy(); // It goes just when it is asked whether answers are heard.
          else if (said.includes('PING')) socket.write('PONG\r\n');
        });
      socket.write(`INFO ${JSON.stringify(INFO)}\r\n`);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const connection = await openNats(readEnv(z.object(serviceEnv), { CAIRN_NATS_URL: url }), 'spec', { clock, randomness });
      expect(connection.isClosed()).toBe(false);
      expect(sockets.filter(({ destroyed }) => !destroyed).length).toBe(1); // What was lost does not come back beside it.
      await connection.close();
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
});
