import type { IncomingMessage } from 'node:http';
import type { Principal } from '@cairn/kernel';
import type { Principals } from '@cairn/ports';
import { refuse } from './refused.js';
import { missingRole } from './rights.js';
import { localPrincipal, StaticPrincipals, type TokenHolder } from './static-principals.js';

export interface GateConfig {
  /** The server's own bearer token; 256 bits as hex. Its holder may do everything that a person may. */
  readonly token: string;
  /** Others who may come, each with a token and roles of its own. */
  readonly holders?: readonly TokenHolder[];
  /** Host names beside the loopback ones under which this server may be addressed, without port, lower case. */
  readonly hosts: readonly string[];
  /** Origins of web pages that may call, as browsers write them. None by default: a page must not start runs. */
  readonly origins: readonly string[];
}

/** Answered without a token to whoever is on this machine: probes and scrapers have none. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);
/** Whoever has the link may use it, from wherever: its token is the authority, and stands for one answer. */
const CALLBACK_PATH = /^\/v1\/callbacks\/[^/]+$/;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const LOOPBACK_ADDRESS = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;
const HOST_PORT = /^(\[[0-9a-f:]+\]|[^:]*)(?::\d{1,5})?$/;
const SCHEME = 'bearer ';

export interface Gate {
  (request: IncomingMessage): void;
  /** Who sent a request that was let in. */
  principalOf(request: IncomingMessage): Principal;
}

/**
 * Lets a request in or refuses it, by headers alone: `Host` against DNS rebinding, `Origin` against pages of other sites, then the
 * token, also on loopback (`architecture.md` §6), then whether its holder may do what is asked for.
 */
export function createGate(config: GateConfig): Gate {
  const hosts = new Set(config.hosts);
  const origins = new Set(config.origins);
  const principals: Principals = new StaticPrincipals([...(config.holders ?? []), { token: config.token, principal: localPrincipal }]);
  const known = new WeakMap<IncomingMessage, Principal>();
  const admit = (request: IncomingMessage): void => {
    const { host, origin, authorization } = request.headers;
    const name = HOST_PORT.exec((host ?? '').toLowerCase())?.[1];
    if (name === undefined || (!LOOPBACK_HOST.test(name) && !hosts.has(name)))
      refuse('host_refused', 'The server is not known under that host name.');
    if (isCallback(request)) return;
    if (origin !== undefined && !origins.has(origin)) refuse('origin_refused', 'Pages of that origin may not call this server.');
    const principal = principals.whoHas(bearerOf(authorization));
    if (principal !== undefined) {
      const missing = missingRole(principal, request.method ?? 'GET', pathOf(request));
      if (missing !== undefined) refuse('forbidden', `${principal.id} may not do this: it takes the role ${missing.join(' or ')}.`);
      known.set(request, principal);
      return;
    }
    if (OPEN_PATHS.has(pathOf(request)) && LOOPBACK_ADDRESS.test(request.socket.remoteAddress ?? '')) return;
    refuse('unauthorized', 'A valid bearer token is needed.', {}, { 'www-authenticate': 'Bearer' });
  };
  return Object.assign(admit, {
    principalOf: (request: IncomingMessage): Principal =>
      known.get(request) ?? refuse('unauthorized', 'A valid bearer token is needed.', {}, { 'www-authenticate': 'Bearer' }),
  });
}

const isCallback = (request: IncomingMessage): boolean =>
  (request.method === 'GET' || request.method === 'POST') && CALLBACK_PATH.test(pathOf(request));

/** The token that a request brings; '' for none, which nobody has. */
function bearerOf(authorization: string | undefined): string {
  if (authorization === undefined || authorization.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return '';
  return authorization.slice(SCHEME.length);
}

/** The path of a request without its query. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
