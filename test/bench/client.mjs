// Starts runs over HTTP and waits for their results by long poll: what a program that uses Cairn does.
import { Agent, request } from 'node:http';

const WAIT_MS = 30_000;

export class Client {
  #agent;
  #url;
  #token;

  constructor({ url, token, inFlight }) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: inFlight, noDelay: true });
    this.#url = new URL(url);
    this.#token = token;
  }

  async applyPolicy(policy) {
    await this.#send('PUT', `policies/${policy.policy}`, policy);
  }

  /** A run, not waited for. */
  async start(workflow, input) {
    return (await this.#send('POST', `workflows/${workflow}/runs`, { input })).runId;
  }

  /** Every event of a run. */
  async history(runId) {
    const { branches } = await this.#send('GET', `runs/${runId}/history`);
    return branches.flatMap(({ events }) => events);
  }

  async apply(definition) {
    await this.#send('PUT', `definitions/${definition.name}`, definition);
  }

  /** One run from start to end; milliseconds that it took as the client sees it. Throws unless it succeeds. */
  async run(workflow, input) {
    const start = performance.now();
    await this.ended(await this.start(workflow, input));
    return performance.now() - start;
  }

  /** Resolves when the run has succeeded; throws when it ended otherwise. */
  async ended(runId) {
    for (;;) {
      const view = await this.#send('GET', `runs/${runId}/result?waitMs=${WAIT_MS}`);
      if (view.state !== 'complete') continue;
      if (view.outcome !== 'succeeded') throw new Error(`run ${runId}: ${view.outcome} ${view.message ?? ''}`);
      return;
    }
  }

  close() {
    this.#agent.destroy();
  }

  #send(method, path, body) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = { authorization: `Bearer ${this.#token}` };
    if (text !== undefined) Object.assign(headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    const options = { agent: this.#agent, host: this.#url.hostname, port: this.#url.port, path: `/v1/default/${path}`, method, headers };
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
          else resolve(JSON.parse(answer));
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }
}
