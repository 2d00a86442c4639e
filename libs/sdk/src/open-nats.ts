import { readFileSync } from 'node:fs';
import type { Bus, Clock, Line } from '@cairn/ports';
import type { Credentials, TlsFiles } from '@cairn/bus-jetstream';
import type { Connection } from './connection.js';
import type { NatsAccess } from './nats-access.js';

/** A connection to the bus, as far as a worker needs it. */
export interface OpenNats {
  readonly line: Line;
  readonly bus: Pick<Bus, 'publish'>;
  /** Never rejects: a connection that is lost is given up. */
  close(): Promise<void>;
}

/**
 * Connects to the bus. Its client is loaded here and nowhere else: whoever works by HTTP does without. Throws `BusFault`, or an error that
 * names the file which cannot be read.
 */
export async function openNats({ nats, natsAccess }: Connection, name: string, clock: Clock): Promise<OpenNats> {
  const { connectNats, createJetStreamBus, createNatsLine } = await import('@cairn/bus-jetstream');
  const { inboxPrefix } = natsAccess;
  const prefix = inboxPrefix === undefined ? {} : { inboxPrefix };
  const credentials = credentialsOf(natsAccess);
  const tls = tlsOf(natsAccess);
  const connection = await connectNats({
    servers: (nats ?? '').split(',').map((url) => url.trim()),
    name: `cairn handler ${name}`,
    clock,
    randomness: { fraction: Math.random },
    ...prefix,
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { tls }),
  });
  const line = createNatsLine(connection, clock, inboxPrefix);
  const bus = createJetStreamBus({ connection, clock, ...prefix });
  return {
    line,
    bus,
    close: async () => {
      await line.close();
      await bus.close().catch(() => connection.close()); // Lost while it was drained; it would be looked for for ever.
    },
  };
}

/** Read at each connecting, since files of secrets are exchanged. */
function credentialsOf({ nkeySeedFile, user, passwordFile, tokenFile }: NatsAccess): Credentials | undefined {
  if (nkeySeedFile !== undefined) return { nkeySeed: secretIn(nkeySeedFile) };
  if (user !== undefined) return { user, password: passwordFile === undefined ? '' : secretIn(passwordFile) };
  return tokenFile === undefined ? undefined : { token: secretIn(tokenFile) };
}

function tlsOf({ tlsCa: ca, tlsCert: cert, tlsKey: key }: NatsAccess): TlsFiles | undefined {
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}

function secretIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new Error(`the credentials file ${file} cannot be read`);
  }
}
