import type { Socket } from 'node:net';
import type { Id } from '@cairn/kernel';

/** A session that has sent so many frames over one connection keeps it: that it closes then says something. */
const FRAMES_THAT_KEEP = 2;

/**
 * Which connections carry the frames of which sessions, so that a process that dies between two of them is noticed by its sockets and
 * not by three missed beats. One that opens a connection for each frame is told by its beats alone.
 */
export class SessionConnections {
  private readonly frames = new WeakMap<Socket, Map<Id, number>>();
  private readonly open = new Map<Id, Set<Socket>>();

  /** `onLost` is told when the last connection that a session keeps has closed. */
  constructor(private readonly onLost: (session: Id) => void) {}

  /** A frame of the session came over this connection. */
  carried(socket: Socket, session: Id): void {
    let carried = this.frames.get(socket);
    if (carried === undefined) {
      carried = new Map();
      this.frames.set(socket, carried);
      socket.once('close', () => this.closed(socket));
    }
    const count = (carried.get(session) ?? 0) + 1;
    carried.set(session, count);
    if (count > 1) return;
    const sockets = this.open.get(session);
    if (sockets === undefined) this.open.set(session, new Set([socket]));
    else sockets.add(socket);
  }

  private closed(socket: Socket): void {
    for (const [session, count] of this.frames.get(socket) ?? []) {
      const sockets = this.open.get(session);
      sockets?.delete(socket);
      if (sockets === undefined || sockets.size > 0) continue;
      this.open.delete(session);
      if (count >= FRAMES_THAT_KEEP) this.onLost(session);
    }
  }
}
