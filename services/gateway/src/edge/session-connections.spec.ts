import { once } from 'node:events';
import { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { idOf } from '@cairn/kernel';
import { SessionConnections } from './session-connections.js';

const [A, B] = [idOf('attempt', 'a'), idOf('attempt', 'b')];

describe('the connections of worker sessions', () => {
  let lost: string[];
  let connections: SessionConnections;
  beforeEach(() => {
    lost = [];
    connections = new SessionConnections((session) => lost.push(session));
  });

  const carrying = (session: string, frames: number, socket = new Socket()): Socket => {
    for (let frame = 0; frame < frames; frame++) connections.carried(socket, session);
    return socket;
  };
  const close = async (socket: Socket): Promise<void> => {
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
  };

  it('tell of a session when the last one that it keeps has closed, once', async () => {
    const [one, other] = [carrying(A, 3), carrying(A, 2)];
    await close(one);
    expect(lost).toEqual([]);
    await close(other);
    expect(lost).toEqual([A]);
  });

  it('say nothing of one that takes a new connection for each frame: its beats do', async () => {
    await close(carrying(A, 1));
    await close(carrying(A, 1));
    expect(lost).toEqual([]);
  });

  it('may be shared, and then speak for each', async () => {
    const shared = carrying(A, 2);
    carrying(B, 2, shared);
    const own = carrying(B, 2);
    await close(shared);
    expect(lost).toEqual([A]);
    await close(own);
    expect(lost).toEqual([A, B]);
  });
});
