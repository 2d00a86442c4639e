import { connect } from 'node:net';

/** What a nats-server says of itself to whoever connects, before it asks who that is. */
export interface ServerInfo {
  readonly server_id: string;
  readonly version: string;
  readonly jetstream?: boolean;
  readonly auth_required?: boolean;
  readonly tls_required?: boolean;
}

const DIAL_MS = 3_000;
/** The line is some hundred bytes long. */
const LINE_MAX = 65_536;
const DEFAULT_PORT = 4_222;

/** The `INFO` of the server at `nats://host:port`, or why there is none. */
export function serverInfo(url: string): Promise<ServerInfo | string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port || DEFAULT_PORT) });
    let text = '';
    const end = (answer: ServerInfo | string): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(DIAL_MS, () => end('no answer in time'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.on('close', () => end('it hung up without a word'));
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      if (text.includes('\r\n') || text.length > LINE_MAX) end(parsed(text) ?? 'what answers there is no nats-server');
    });
  });
}

function parsed(text: string): ServerInfo | undefined {
  if (!text.startsWith('INFO {')) return undefined;
  try {
    const info = JSON.parse(text.slice('INFO '.length, text.indexOf('\r\n'))) as ServerInfo;
    return typeof info.version === 'string' && typeof info.server_id === 'string' ? info : undefined;
  } catch {
    return undefined;
  }
}
