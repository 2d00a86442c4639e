import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { natsAccessOf, type NatsAccess } from './nats-access.js';

/** Where a server listens when nothing says otherwise. */
export const DEFAULT_URL = 'http://127.0.0.1:4300';
/** The data folder of `cairn dev` when nothing says otherwise, relative to the working directory. */
export const DEFAULT_DATA = './.cairn';

export interface ConnectionOptions {
  /** Base URL without a path. Default: `CAIRN_URL`, then `<data>/server.json`, then 127.0.0.1:4300. */
  readonly url?: string | undefined;
  /**
   * The bus, `nats://host:port`, several by comma: handlers work over it instead of HTTP. Default: nothing where `url` is given, then
   * `CAIRN_NATS_URL`, nothing where `CAIRN_URL` is set, then what `<data>/server.json` says. Credentials: `CAIRN_NATS_NKEY_SEED_FILE`,
   * or `CAIRN_NATS_USER` with `CAIRN_NATS_PASSWORD_FILE`, or `CAIRN_NATS_TOKEN_FILE`; `CAIRN_NATS_TLS_CA`, `_CERT`, `_KEY`;
   * `CAIRN_NATS_INBOX_PREFIX`.
   */
  readonly nats?: string | undefined;
  /** Bearer token. Default: `CAIRN_TOKEN`, then `<data>/token`. */
  readonly token?: string | undefined;
  /** Namespace. Default: what `<data>/server.json` says, then `default`. */
  readonly ns?: string | undefined;
  /** Data folder of a server on this machine. Default: `CAIRN_DATA`, then `./.cairn`. */
  readonly data?: string | undefined;
}

export interface Connection {
  readonly url: string;
  readonly token: string | undefined;
  readonly ns: string;
  /** The bus, where handlers are to use it. */
  readonly nats?: string;
  readonly natsAccess: NatsAccess;
}

/**
 * Where the server is and what opens its door, read anew at each call: a restarted server may have another port and token
 * (`history.md` §4, order of the sources). Never throws: a missing or torn file is skipped.
 */
export function findServer(options: ConnectionOptions = {}, env: NodeJS.ProcessEnv = process.env): Connection {
  const data = options.data ?? env['CAIRN_DATA'] ?? DEFAULT_DATA;
  const file = readServerFile(join(data, 'server.json'));
  const envUrl = nonEmpty(env['CAIRN_URL']);
  const url = options.url ?? envUrl ?? file.url ?? DEFAULT_URL;
  const found = nonEmpty(env['CAIRN_NATS_URL']) ?? (envUrl === undefined ? file.nats : undefined);
  const nats = options.nats ?? (options.url === undefined ? found : undefined);
  return {
    ...(nats === undefined ? {} : { nats }),
    natsAccess: natsAccessOf(env),
    url: url.replace(/\/+$/, ''),
    token: options.token ?? nonEmpty(env['CAIRN_TOKEN']) ?? nonEmpty(readText(join(data, 'token'))?.trim()),
    ns: options.ns ?? file.ns ?? 'default',
  };
}

/** `server.json` as far as we understand it; a server that is just writing it may leave half a document. */
function readServerFile(path: string): { url?: string; ns?: string; nats?: string } {
  try {
    const file: unknown = JSON.parse(readText(path) ?? '{}');
    if (typeof file !== 'object' || file === null) return {};
    const { url, ns, nats } = file as { url?: unknown; ns?: unknown; nats?: unknown };
    return {
      ...(typeof url === 'string' ? { url } : {}),
      ...(typeof ns === 'string' ? { ns } : {}),
      ...(typeof nats === 'string' ? { nats } : {}),
    };
  } catch {
    return {};
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
