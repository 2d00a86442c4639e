import { readFileSync } from 'node:fs';
import { BusFault, type Clock, type Randomness } from '@cairn/ports';
import {
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
  type Authenticator,
  type NatsConnection,
} from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';

/** Below this a server knows no `prioritized` consumers, or lacks the fixes of December 2025 (`facts.md` §2.1). */
export const SERVER_FLOOR = [2, 12, 7] as const;

/** How long a first connection may take. */
const CONNECT_MS = 5_000;
/** A server that is mute is left after so many unanswered pings (F-14). */
const PING_MS = 5_000;
const PINGS_OPEN_MAX = 2;
/** Between two attempts to reconnect: half the time since the connection was lost, within these bounds. */
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 2_000;

export interface ConnectOptions {
  /** `nats://host:port`, or several. */
  readonly servers: string | readonly string[];
  /** What the server's monitoring calls this client. */
  readonly name: string;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, 'fraction'>;
  /** One of them, or none. */
  readonly credentials?: Credentials;
  readonly tls?: TlsFiles;
  /** `_INBOX` unless this user may subscribe to a prefix of its own only; it begins with `_INBOX`. */
  readonly inboxPrefix?: string;
}

export type Credentials = { readonly nkeySeed: string } | { readonly user: string; readonly password: string } | { readonly token: string };

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * The one connection of a process. Once it stands it reconnects for ever, with growing, jittered pauses. Throws
 * `BusFault('bus_unavailable')` if no server answers, or one that is too old or has no JetStream.
 */
export async function connectNats({
  servers,
  name,
  clock,
  randomness,
  credentials,
  tls,
  inboxPrefix,
}: ConnectOptions): Promise<NatsConnection> {
  let lostAt: number | undefined;
  const connection = await connect({
    servers: typeof servers === 'string' ? servers : [...servers],
    name,
    timeout: CONNECT_MS,
    reconnect: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true, // Credentials may be repaired while we wait.
    reconnectDelayHandler: () => {
      lostAt ??= clock.monotonicMs();
      const pause = Math.min(RECONNECT_MAX_MS, Math.max(RECONNECT_MIN_MS, (clock.monotonicMs() - lostAt) / 2));
      return Math.ceil(pause * (0.5 + 0.5 * randomness.fraction()));
    },
    pingInterval: PING_MS,
    maxPingOut: PINGS_OPEN_MAX,
    noAsyncTraces: true, // A stack trace a request would be most of its cost.
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
    ...(credentials === undefined ? {} : { authenticator: authenticatorOf(credentials) }),
    ...(tls === undefined ? {} : { tls: pemOf(tls) }),
  }).catch((cause: unknown) => {
    throw new BusFault('bus_unavailable', `no nats-server answers at ${String(servers).replaceAll(/\/\/[^@/,]*@/g, '//')}`, { cause });
  });
  lostAt = undefined; // The first dialling asked for a pause too.
  const refusal = refusalOf(connection);
  if (refusal !== undefined) {
    await connection.close();
    throw new BusFault('bus_unavailable', refusal);
  }
  void (async () => {
    for await (const { type } of connection.status()) if (type === 'reconnect') lostAt = undefined;
  })();
  return connection;
}

function refusalOf({ info }: NatsConnection): string | undefined {
  if (info?.jetstream !== true) return 'the nats-server has no JetStream: start it with `jetstream {}` in its configuration';
  if (isBelowFloor(info.version)) return `nats-server ${info.version} is too old: at least ${SERVER_FLOOR.join('.')}`;
  return undefined;
}

/** Whether a version like `2.12.6` or `2.14.0-beta.1` is below the floor. */
export function isBelowFloor(version: string): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [i, least] of SERVER_FLOOR.entries()) {
    const part = parts[i] ?? 0;
    if (part !== least) return !(part > least);
  }
  return false;
}

function authenticatorOf(credentials: Credentials): Authenticator {
  if ('nkeySeed' in credentials) return nkeyAuthenticator(new TextEncoder().encode(credentials.nkeySeed));
  if ('token' in credentials) return tokenAuthenticator(credentials.token);
  return usernamePasswordAuthenticator(credentials.user, credentials.password);
}

function pemOf({ ca, cert, key }: TlsFiles): { ca?: string; cert?: string; key?: string } {
  const read = (file: string): string => readFileSync(file, 'utf8');
  return {
    ...(ca === undefined ? {} : { ca: read(ca) }),
    ...(cert === undefined ? {} : { cert: read(cert) }),
    ...(key === undefined ? {} : { key: read(key) }),
  };
}
