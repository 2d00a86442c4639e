import { EventStoreDBClient } from '@eventstore/db-client';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { Clock } from '@cairn/ports';
import { CALL_DEADLINE_MS, withDeadline } from './deadline.js';
import { sayingOf, unavailable } from './errors.js';

/**
 * What the client keeps for its own commands and shows to its subclasses. Appends need it: the client's own batch append never ends
 * where an error comes between two writes, lets that error escape as an unhandled rejection, and keeps the pending appends of all
 * clients of the process in one map, so that an error of one rejects those of another.
 */
interface ClientInside {
  GRPCStreamCreator<T>(kind: typeof StreamsClient, name: string, create: (client: StreamsClient) => T): () => Promise<T>;
  callArguments(options: { requiresLeader?: boolean }, call: { deadline: number }): Parameters<StreamsClient['batchAppend']>;
  supports(method: { readonly path: string }): Promise<boolean>;
  readonly capabilities: Promise<{ readonly serverVersion: string }>;
  getChannel(): Promise<{ close(): void }>;
}

export type Client = EventStoreDBClient & { readonly inside: ClientInside };

/**
 * The one client of this process. A server that has frozen, or a call that the client has lost, leaves it hanging for ever; so when
 * nothing at all was heard for the deadline of a call it is thrown away for a new one.
 */
export class ClientHolder {
  private current: Client;
  private heardMs: number;
  private readonly listeners = new Set<() => void>();
  private closed = false;

  /** Throws an `Error` for a connection string that the client refuses, without quoting it. */
  constructor(
    private readonly url: string,
    readonly address: string,
    readonly clock: Clock,
  ) {
    this.heardMs = clock.monotonicMs();
    this.current = this.create();
  }

  get client(): Client {
    return this.current;
  }

  /** The server has answered something. */
  heard(): void {
    this.heardMs = this.clock.monotonicMs();
  }

  /** A call got no answer in time, or the client behaves as if it were lost. */
  suspect(client: Client): void {
    if (this.closed || client !== this.current || this.clock.monotonicMs() - this.heardMs < CALL_DEADLINE_MS) return;
    this.replace(client);
  }

  /** This client is lost: what is under way on it is given up, and everything goes on with a new one. */
  replace(client: Client): void {
    if (this.closed || client !== this.current) return;
    this.current = this.create();
    this.heard(); // The new one has its time, too.
    for (const replaced of [...this.listeners]) replaced(); // First: to whoever reads, the end of a discarded client looks like the end of the stream.
    void discard(client);
  }

  /** Tells that the client of before is given up, with everything that is under way on it. */
  onReplaced(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async serverVersion(): Promise<string> {
    const { client } = this;
    const late = (): Error => unavailable(`EventStoreDB at ${this.address} does not answer`);
    try {
      const { serverVersion } = await withDeadline(this.clock, client.inside.capabilities, late);
      this.heard();
      return serverVersion;
    } catch (error) {
      this.replace(client); // It would answer from what it has remembered.
      throw unavailable(`EventStoreDB at ${this.address}`, error);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const replaced of [...this.listeners]) replaced();
    this.listeners.clear();
    await discard(this.current);
  }

  private create(): Client {
    hushServerNameWarning();
    const client = clientFor(this.url);
    if (typeof client === 'string') throw new Error(`the connection string for EventStoreDB at ${this.address}: ${client}`);
    return Object.assign(client, { inside: client as unknown as ClientInside });
  }
}

let isHushed = false;

/**
 * grpc-js gives TLS the host of the address as server name also where it is an IP address, and there is no option that keeps it from that.
 * Node warns of it once (DEP0123, RFC 6066), on the standard error of whoever runs a command; the certificate is checked against the address
 * all the same, and whoever reads the warning cannot do anything about it. Every other warning goes on as before.
 */
function hushServerNameWarning(): void {
  if (isHushed) return;
  isHushed = true;
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  process.emitWarning = (...args: unknown[]): void => {
    if (args[2] !== 'DEP0123') emitWarning(...args);
  };
}

/** Or why there is none: the client's own error quotes the whole string, password and all, so it is no cause of ours. */
function clientFor(url: string): EventStoreDBClient | string {
  try {
    return EventStoreDBClient.connectionString(url);
  } catch (error) {
    const why = sayingOf(error);
    return why.includes(url) ? 'the client does not take it' : why;
  }
}

async function discard(client: Client): Promise<void> {
  await client.dispose().catch(() => undefined);
  await client.inside.getChannel().then(
    (channel) => channel.close(),
    () => undefined, // It never connected.
  );
}
