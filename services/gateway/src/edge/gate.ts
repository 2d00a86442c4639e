import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { refuse } from './refused.js';

export interface GateConfig {
  /** The bearer token; 256 bits as hex. */
  readonly token: string;
  /** Host names beside the loopback ones under which this server may be addressed, without port, lower case. */
  readonly hosts: readonly string[];
  /** Origins of web pages that may call, as browsers write them. None by default: a page must not start runs. */
  readonly origins: readonly string[];
}

/** Answered without a token to whoever is on this machine: probes and scrapers have none. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const LOOPBACK_ADDRESS = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;
const HOST_PORT = /^(\[[0-9a-f:]+\]|[^:]*)(?::\d{1,5})?$/;
const SCHEME = 'bearer ';

export type Gate = (request: IncomingMessage) => void;

/**
 * Lets a request in or refuses it, by headers alone: `Host` against DNS rebinding, `Origin` against pages of other sites, then the
 * token, also on loopback, compared in constant time (`architecture.md` §6).
 */
export function createGate(config: GateConfig): Gate {
  const hosts = new Set(config.hosts);
  const origins = new Set(config.origins);
  const token = Buffer.from(config.token, 'latin1');
  return (request) => {
    const { host, origin, authorization } = request.headers;
    const name = HOST_PORT.exec((host ?? '').toLowerCase())?.[1];
    if (name === undefined || (!LOOPBACK_HOST.test(name) && !hosts.has(name)))
      refuse('host_refused', 'The server is not known under that host name.');
    if (origin !== undefined && !origins.has(origin)) refuse('origin_refused', 'Pages of that origin may not call this server.');
    if (isBearer(authorization, token)) return;
    if (OPEN_PATHS.has(pathOf(request)) && LOOPBACK_ADDRESS.test(request.socket.remoteAddress ?? '')) return;
    refuse('unauthorized', 'A valid bearer token is needed.', {}, { 'www-authenticate': 'Bearer' });
  };
}

function isBearer(authorization: string | undefined, token: Buffer): boolean {
  if (authorization === undefined || authorization.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return false;
  const given = Buffer.from(authorization.slice(SCHEME.length), 'latin1');
  // The length of the right token is no secret: it is the same everywhere.
  return given.length === token.length && timingSafeEqual(given, token);
}

/** The path of a request without its query. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
