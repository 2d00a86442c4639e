import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Direction, type LinkFault, type LinkTally } from './direction.js';

/** The two ways over a link, as the client sees them. */
export interface Link {
  readonly requests: LinkFault;
  readonly answers: LinkFault;
}

const HEALTHY: Link = { requests: {}, answers: {} };

/**
 * A TCP link between a client and a server that can be made bad (`reliability.md` §3.1), per direction and at any time, for connections
 * that stand too. It listens on a port of its own on loopback.
 */
export class TcpProxy {
  private link: Link = HEALTHY;
  /**
   * What became of the bytes so far. A fault acts when the proxy takes the bytes, which may be after the server has answered: who heals a
   * link behind a fault waits until the tally says that it struck.
   */
  readonly tally: { readonly requests: Readonly<LinkTally>; readonly answers: Readonly<LinkTally> };
  private readonly requests: LinkTally = { taken: 0, passed: 0, lost: 0 };
  private readonly answers: LinkTally = { taken: 0, passed: 0, lost: 0 };
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: () => { readonly host: string; readonly port: number },
  ) {
    this.tally = { requests: this.requests, answers: this.answers };
    server.on('connection', (client) => this.join(client));
  }

  /** `target` is asked for each new connection: the server may come back at another port. */
  static async start(target: () => { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new TcpProxy(server, target);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.open.size / 2;
  }

  /** What is not named is healthy from now on. */
  spoil(link: Partial<Link>): void {
    this.link = { ...HEALTHY, ...link };
  }

  heal(): void {
    this.link = HEALTHY;
  }

  /** RST for every connection that stands. New ones are taken. */
  reset(): void {
    for (const socket of this.open) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket): void {
    const server = connect({ ...this.target(), allowHalfOpen: true });
    const cut = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      this.open.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.open.delete(socket);
        cut();
      });
    }
    new Direction(client, server, () => this.link.requests, cut, this.requests);
    new Direction(server, client, () => this.link.answers, cut, this.answers);
  }
}
