import { connectNats, createJetStreamBus, createNatsLine, diffTopology, type Credentials } from '@cairn/bus-jetstream';
import { busStreams, type BusStreamSpec } from '@cairn/contracts';
import { BusFault, type Clock, type ConsumerSpec, type Randomness } from '@cairn/ports';
import { ConfigInvalid, secretOf, type ServiceConfig } from './config.js';

export type NatsConnection = Awaited<ReturnType<typeof connectNats>>;

/** A server that comes up beside us is waited for so long. */
const CONNECT_PATIENCE_MS = 30_000;
const CONNECT_PAUSE_MS = 500;

export interface Parts {
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** Connects as the configuration says. Throws `ConfigInvalid`, or `BusFault('bus_unavailable')` if no server has answered in time. */
export async function openNats(config: ServiceConfig, name: string, { clock, randomness }: Parts): Promise<NatsConnection> {
  const credentials = credentialsOf(config);
  const tls = tlsOf(config);
  const { CAIRN_NATS_URL: servers, CAIRN_NATS_INBOX_PREFIX: inboxPrefix } = config;
  const until = clock.monotonicMs() + CONNECT_PATIENCE_MS;
  for (;;) {
    try {
      const connection = await connectNats({
        servers,
        name,
        clock,
        randomness,
        ...(credentials === undefined ? {} : { credentials }),
        ...(tls === undefined ? {} : { tls }),
        ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
      });
      await mustHearAnswers(connection, inboxPrefix);
      return connection;
    } catch (error) {
      if (!(error instanceof BusFault) || error.cause === undefined || clock.monotonicMs() > until) throw error;
      await new Promise<void>((resolve) => clock.after(CONNECT_PAUSE_MS, resolve));
    }
  }
}

/** A user who may not listen where the answers to his own requests come in gets none: said at the start, by the variable that mends it. */
async function mustHearAnswers(connection: NatsConnection, prefix = '_INBOX'): Promise<void> {
  let isRefused = false;
  try {
    const answers = connection.subscribe(`${prefix}.start.*`, { callback: (error) => void (isRefused ||= error !== null) });
    await connection.flush(); // The server refuses before it answers this.
    if (answers.isClosed()) isRefused = true;
    else answers.unsubscribe();
  } catch (cause) {
    await connection.close(); // Else it would go on dialling beside the one that is made instead.
    throw new BusFault('bus_unavailable', 'the nats-server was lost before it answered the first request', { cause });
  }
  if (!isRefused) return;
  await connection.close();
  throw new ConfigInvalid(
    `CAIRN_NATS_INBOX_PREFIX: the nats-server lets this user hear no answers below ${prefix}; set it to the prefix of the user, as \`npx cairn bus keys\` shows it`,
  );
}

/** The way in, if the configuration names one. */
export function credentialsOf(config: ServiceConfig): Credentials | undefined {
  const {
    CAIRN_NATS_NKEY_SEED_FILE: seed,
    CAIRN_NATS_USER: user,
    CAIRN_NATS_PASSWORD_FILE: password,
    CAIRN_NATS_TOKEN_FILE: token,
  } = config;
  if ([seed, user, token].filter((one) => one !== undefined).length > 1)
    throw new ConfigInvalid('CAIRN_NATS_NKEY_SEED_FILE, CAIRN_NATS_USER and CAIRN_NATS_TOKEN_FILE: give one of them');
  if ((user === undefined) !== (password === undefined))
    throw new ConfigInvalid('CAIRN_NATS_USER and CAIRN_NATS_PASSWORD_FILE go together');
  if (seed !== undefined) return { nkeySeed: secretOf('CAIRN_NATS_NKEY_SEED_FILE', seed) };
  if (token !== undefined) return { token: secretOf('CAIRN_NATS_TOKEN_FILE', token) };
  if (user === undefined || password === undefined) return undefined;
  return { user, password: secretOf('CAIRN_NATS_PASSWORD_FILE', password) };
}

export function tlsOf(config: ServiceConfig): { ca?: string; cert?: string; key?: string } | undefined {
  const { CAIRN_NATS_TLS_CA: ca, CAIRN_NATS_TLS_CERT: cert, CAIRN_NATS_TLS_KEY: key } = config;
  if ((cert === undefined) !== (key === undefined)) throw new ConfigInvalid('CAIRN_NATS_TLS_CERT and CAIRN_NATS_TLS_KEY go together');
  if (ca === undefined && cert === undefined) return undefined;
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined || key === undefined ? {} : { cert, key }) };
}

/** The bus is not what the contract says: whoever may must apply it. */
export class BusDiffers extends Error {
  readonly code = 'bus_differs';
  override readonly name = 'BusDiffers';
}

/** Services bind and never create: what is not as the contract says is refused, with the command that mends it. Throws `BusDiffers`. */
export async function mustMatchContract(connection: NatsConnection, consumers: readonly ConsumerSpec[]): Promise<void> {
  const used = new Set(consumers.map(({ busStream }) => busStream));
  const streams: readonly BusStreamSpec[] = busStreams.filter(({ name }) => used.has(name));
  const differences = await diffTopology(connection, streams, consumers);
  if (differences.length === 0) return;
  const [first] = differences;
  const more = differences.length === 1 ? '' : ` and ${differences.length - 1} more`;
  const what = first?.field === undefined ? 'is missing' : `differs in ${first.field}`;
  throw new BusDiffers(`${first?.kind ?? ''} ${first?.name ?? ''} ${what}${more}; run \`npx cairn bus apply\``);
}

export { createJetStreamBus, createNatsLine };
