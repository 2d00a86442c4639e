import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a server listens when nothing says otherwise. */
export const DEFAULT_URL = 'http://127.0.0.1:4300';
/** The data folder of `cairn dev` when nothing says otherwise, relative to the working directory. */
export const DEFAULT_DATA = './.cairn';

export interface ConnectionOptions {
  /** Base URL without a path. Default: `CAIRN_URL`, then `<data>/server.json`, then 127.0.0.1:4300. */
  readonly url?: string | undefined;
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
}

/**
 * Where the server is and what opens its door, read anew at each call: a restarted server may have another port and token
 * (`history.md` §4, order of the sources). Never throws: a missing or torn file is skipped.
 */
export function findServer(options: ConnectionOptions = {}, env: NodeJS.ProcessEnv = process.env): Connection {
  const data = options.data ?? env['CAIRN_DATA'] ?? DEFAULT_DATA;
  const file = readServerFile(join(data, 'server.json'));
  const url = options.url ?? nonEmpty(env['CAIRN_URL']) ?? file.url ?? DEFAULT_URL;
  return {
    url: url.replace(/\/+$/, ''),
    token: options.token ?? nonEmpty(env['CAIRN_TOKEN']) ?? nonEmpty(readText(join(data, 'token'))?.trim()),
    ns: options.ns ?? file.ns ?? 'default',
  };
}

/** `server.json` as far as we understand it; a server that is just writing it may leave half a document. */
function readServerFile(path: string): { url?: string; ns?: string } {
  try {
    const file: unknown = JSON.parse(readText(path) ?? '{}');
    if (typeof file !== 'object' || file === null) return {};
    const { url, ns } = file as { url?: unknown; ns?: unknown };
    return { ...(typeof url === 'string' ? { url } : {}), ...(typeof ns === 'string' ? { ns } : {}) };
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
