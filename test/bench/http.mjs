// JSON over HTTP/1.1 with connections that stay open: the same for every engine, so that no client is the difference.
import { Agent, request } from 'node:http';

export class Http {
  #agent;
  #url;
  #headers;

  /** `sockets`: how many requests may be under way; others wait. */
  constructor({ url, sockets, headers = {} }) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: sockets, noDelay: true });
    this.#url = new URL(url);
    this.#headers = headers;
  }

  /** The answer's body as text. Throws unless the status is 2xx. */
  send(method, path, body, more = {}) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = { ...this.#headers, ...more };
    if (text !== undefined) Object.assign(headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    const options = { agent: this.#agent, host: this.#url.hostname, port: this.#url.port, path, method, headers };
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
          else resolve(answer);
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }

  close() {
    this.#agent.destroy();
  }
}
