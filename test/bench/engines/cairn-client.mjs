// Starts runs over HTTP and waits for their results by long poll: what a program that uses Cairn does.
import { Http } from '../http.mjs';
import { again } from '../wait-for.mjs';
import { definitions, policies } from './cairn-definitions.mjs';

const WAIT_MS = 30_000;

export class CairnClient {
  #http;

  constructor({ url, token, sockets }) {
    this.#http = new Http({ url, sockets, headers: { authorization: `Bearer ${token}` } });
  }

  /** Makes a flow known to the server. */
  async apply(flow) {
    for (const policy of policies[flow] ?? []) await this.#json('PUT', `policies/${policy.policy}`, policy);
    await this.#json('PUT', `definitions/${definitions[flow].name}`, definitions[flow]);
  }

  /** A run, not waited for. */
  async start(flow, input) {
    return (await this.#json('POST', `workflows/${definitions[flow].name}/runs`, { input })).runId;
  }

  /** One run from start to end. Throws unless it succeeds. */
  async run(flow, input) {
    await this.ended(await this.start(flow, input));
  }

  /** Resolves when the run has succeeded; throws when it ended otherwise. A server that is not there meanwhile is asked again. */
  async ended(run) {
    for (;;) {
      const view = await again(() => this.#json('GET', `runs/${run}/result?waitMs=${WAIT_MS}`));
      if (view.state !== 'complete') continue;
      if (view.outcome !== 'succeeded') throw new Error(`run ${run}: ${view.outcome} ${view.message ?? ''}`);
      return;
    }
  }

  /** Sends a run on that waits. */
  async wake(run) {
    await this.#json('POST', `runs/${run}/signals/go`, { data: { ok: true } });
  }

  /** How many runs wait, by the server's own count. */
  async waiting() {
    const lines = (await this.#http.send('GET', '/metrics')).split('\n');
    const counts = lines.filter((line) => line.startsWith('cairn_runs{') && line.includes('state="waiting"'));
    return counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  close() {
    this.#http.close();
  }

  async #json(method, path, body) {
    return JSON.parse(await this.#http.send(method, `/v1/default/${path}`, body));
  }
}
