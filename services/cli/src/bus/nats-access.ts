import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { connectNats, Credentials, TlsFiles } from '@cairn/bus-jetstream';
import { DEFAULT_DATA } from '@cairn/sdk/connection';
import { problem, Refusal } from '../refusal.js';
import { EXIT, EXIT_CONFIG } from '../exit-codes.js';

/** Where a nats-server is looked for when nothing says otherwise. */
export const DEFAULT_NATS_URL = 'nats://127.0.0.1:4222';

export type NatsConnection = Awaited<ReturnType<typeof connectNats>>;

export interface NatsOptions {
  readonly nats?: string;
  readonly data?: string;
}

/** An address without the password that it may hold: for output. */
export const withoutPassword = (url: string): string => url.replaceAll(/\/\/[^@/,]*@/g, '//');

/** Where the server is, who says so, and as whom we come. */
export interface NatsAccess {
  readonly url: string;
  readonly origin: '--nats' | 'CAIRN_NATS_URL' | 'server.json' | 'default';
  readonly credentials?: Credentials;
  readonly tls?: TlsFiles;
  readonly inboxPrefix?: string;
}

/** The folder that this command works with. */
export const dataFolder = ({ data }: NatsOptions, env: NodeJS.ProcessEnv): string => data ?? set(env['CAIRN_DATA']) ?? DEFAULT_DATA;

/** The server that is named by flag, environment or `<data>/server.json`; nothing says that there is one if `origin` is `default`. */
export function natsAccess(options: NatsOptions, env: NodeJS.ProcessEnv): NatsAccess {
  const tls: TlsFiles = {
    ...optional('ca', env['CAIRN_NATS_TLS_CA']),
    ...optional('cert', env['CAIRN_NATS_TLS_CERT']),
    ...optional('key', env['CAIRN_NATS_TLS_KEY']),
  };
  if ((tls.cert === undefined) !== (tls.key === undefined)) throw configInvalid('CAIRN_NATS_TLS_CERT and CAIRN_NATS_TLS_KEY go together.');
  const credentials = credentialsOf(env);
  return {
    ...address(options, env),
    ...(credentials === undefined ? {} : { credentials }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...optional('inboxPrefix', env['CAIRN_NATS_INBOX_PREFIX']),
  };
}

/** Connects, for one command. Throws a `Refusal` that says what is wrong with the server, the way there, or the credentials. */
export async function connectTo({ url, credentials, tls, inboxPrefix }: NatsAccess, name: string): Promise<NatsConnection> {
  const [{ connectNats }, { systemClock: clock, systemRandomness: randomness }] = await Promise.all([
    import('@cairn/bus-jetstream'),
    import('@cairn/system'),
  ]);
  try {
    return await connectNats({
      servers: url.split(',').map((one) => one.trim()),
      name,
      clock,
      randomness,
      ...(credentials === undefined ? {} : { credentials }),
      ...(tls === undefined ? {} : { tls }),
      ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** A fault of the connection as what it ends the command with. */
function refusalOf(error: unknown): unknown {
  const { code, message, cause } = error as { readonly code?: string; readonly message?: string; readonly cause?: unknown };
  if (code === 'ENOENT' || code === 'EACCES') return configInvalid(`CAIRN_NATS_TLS_*: ${String(message)}.`);
  if (code !== 'bus_unavailable') return error;
  // Without a cause the server was reached and is not what we need: too old, or without JetStream.
  if (cause === undefined) return new Refusal(problem('nats_unsuitable', 503, sentence(String(message))), EXIT.failed);
  const why = cause instanceof Error ? cause.message : String(cause);
  if (/authorization|authentication|permission/i.test(why)) {
    return new Refusal(
      problem('nats_refused', 401, `The nats-server refuses these credentials: ${why}.`),
      EXIT.failed,
      'set CAIRN_NATS_NKEY_SEED_FILE to the seed of a user of deploy/nats, and CAIRN_NATS_INBOX_PREFIX to its prefix',
    );
  }
  return new Refusal(
    problem('unreachable', 503, `${sentence(String(message))} (${why})`),
    EXIT.unreachable,
    'start nats-server with deploy/nats/nats-server.conf, or name another by --nats',
  );
}

function address({ nats, data }: NatsOptions, env: NodeJS.ProcessEnv): Pick<NatsAccess, 'url' | 'origin'> {
  if (nats !== undefined) return { url: nats, origin: '--nats' };
  const named = set(env['CAIRN_NATS_URL']);
  if (named !== undefined) return { url: named, origin: 'CAIRN_NATS_URL' };
  const written = serverFile(dataFolder({ ...(data === undefined ? {} : { data }) }, env)).nats;
  return written === undefined ? { url: DEFAULT_NATS_URL, origin: 'default' } : { url: written, origin: 'server.json' };
}

/** `<data>/server.json` as far as it can be read; a server that is just writing it may leave half a document. */
export function serverFile(data: string): { readonly url?: string; readonly nats?: string; readonly pid?: number } {
  try {
    const file = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as { url?: unknown; nats?: unknown; pid?: unknown } | null;
    return {
      ...(typeof file?.url === 'string' ? { url: file.url } : {}),
      ...(typeof file?.nats === 'string' ? { nats: file.nats } : {}),
      ...(typeof file?.pid === 'number' ? { pid: file.pid } : {}),
    };
  } catch {
    return {};
  }
}

function credentialsOf(env: NodeJS.ProcessEnv): Credentials | undefined {
  const seed = set(env['CAIRN_NATS_NKEY_SEED_FILE']);
  const user = set(env['CAIRN_NATS_USER']);
  const password = set(env['CAIRN_NATS_PASSWORD_FILE']);
  const token = set(env['CAIRN_NATS_TOKEN_FILE']);
  if ([seed, user, token].filter((one) => one !== undefined).length > 1)
    throw configInvalid('CAIRN_NATS_NKEY_SEED_FILE, CAIRN_NATS_USER and CAIRN_NATS_TOKEN_FILE: give one of them.');
  if ((user === undefined) !== (password === undefined)) throw configInvalid('CAIRN_NATS_USER and CAIRN_NATS_PASSWORD_FILE go together.');
  if (seed !== undefined) return { nkeySeed: secret('CAIRN_NATS_NKEY_SEED_FILE', seed) };
  if (user !== undefined && password !== undefined) return { user, password: secret('CAIRN_NATS_PASSWORD_FILE', password) };
  return token === undefined ? undefined : { token: secret('CAIRN_NATS_TOKEN_FILE', token) };
}

function secret(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw configInvalid(`${variable}: cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
  }
}

const configInvalid = (detail: string): Refusal => new Refusal(problem('config_invalid', 400, detail), EXIT_CONFIG);
const set = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
const optional = <K extends string>(key: K, text: string | undefined): { [key in K]?: string } =>
  set(text) === undefined ? {} : ({ [key]: text } as { [key in K]?: string });
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
