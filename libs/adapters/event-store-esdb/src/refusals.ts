/**
 * What mends it. `away`: start the server, or wait. `address`: hosts and options of the connection string. `user`: its user and password.
 * `rights`: what an admin lets that user do.
 */
export type RefusalKind = 'away' | 'address' | 'user' | 'rights';

/** Why EventStoreDB did not do what it was asked. */
export interface StoreRefusal {
  readonly kind: RefusalKind;
  /** One sentence for a person, without its end, that names the next step where the connection string or an admin has to take it. */
  readonly says: string;
}

/** gRPC's codes of a server that knows who asks, and of one that does not. */
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;
/** The client's own word for both, `ErrorType.ACCESS_DENIED`; this file does without the client, since a command reads faults before it needs one. */
const ACCESS_DENIED = 'access-denied';

const USER = 'the user or the password of CAIRN_EVENT_STORE is not accepted: give it a user that EventStoreDB knows';
const RIGHTS =
  'access denied: the user of CAIRN_EVENT_STORE must be in the group cairn (a user of that name is), and an admin must have run `cairn store apply`';

/** What Node's TLS, its resolver and grpc-js say where no connection comes to be (Node 20 to 24, grpc-js 1.14), and what that means here. */
const CONNECTING: readonly (readonly [RegExp, RefusalKind, string])[] = [
  [
    /wrong version number|packet length too long|record layer failure/,
    'address',
    'the server does not speak TLS: add tls=false to CAIRN_EVENT_STORE, if it is meant to be insecure',
  ],
  [
    /unable to verify the first certificate|unable to get (?:local )?issuer cert|self[- ]signed certificate/,
    'address',
    'the certificate of the server is signed by nobody who is known here: add tlsCAFile=<PEM file of its CA> to CAIRN_EVENT_STORE',
  ],
  [
    /does not match certificate's altnames/,
    'address',
    'the certificate of the server is for other names: give CAIRN_EVENT_STORE a host by a name that stands in it',
  ],
  [/certificate has expired/, 'away', 'the certificate of the server has expired'],
  // What grpc-js says of a connection that was closed before the first frame of HTTP/2.
  [
    /Last error: Failed to connect/,
    'address',
    'the server ends every connection before it begins: if it speaks TLS, leave tls=false out of CAIRN_EVENT_STORE, else look whether it is an EventStoreDB',
  ],
  [/Name resolution failed/, 'address', 'the host is not known: no address is found for its name'],
  [/ECONNREFUSED/, 'away', 'nobody listens there'],
  // The client keeps what each host answered for itself.
  [
    /Failed to discover/,
    'address',
    'no host tells which nodes there are: look at hosts and ports, and whether they speak TLS (tls=false if not, tlsCAFile for a CA of their own)',
  ],
];

/** Whether the server refused whoever asked. */
export function isAccessDenied(error: unknown): boolean {
  const { code, type } = (error ?? {}) as { code?: unknown; type?: unknown };
  return code === UNAUTHENTICATED || code === PERMISSION_DENIED || type === ACCESS_DENIED;
}

/** What an error of the client, or a fault that it caused, comes to. */
export function refusalOf(error: unknown): StoreRefusal {
  const {
    code,
    type,
    message = String(error),
    cause,
  } = (error ?? {}) as { code?: unknown; type?: unknown; message?: string; cause?: unknown };
  if (isAccessDenied(error)) return code === UNAUTHENTICATED ? { kind: 'user', says: USER } : { kind: 'rights', says: RIGHTS };
  const known = CONNECTING.find(([pattern]) => pattern.test(message));
  if (known !== undefined) return { kind: known[1], says: known[2] };
  if (cause !== undefined) return refusalOf(cause);
  const says = tidied(message);
  return { kind: 'away', says: says === '' ? (typeof type === 'string' ? type : 'no reason given') : says };
}

/** Without what grpc-js puts around every reason. */
function tidied(message: string): string {
  return message
    .replace(/^\d+ [A-Z_]+: /, '')
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/\s*\.? Resolution note:\s*$/, '')
    .replaceAll(/\s+/g, ' ')
    .replace(/[.\s]+$/, '');
}
