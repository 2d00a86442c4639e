// Restate's ingress, as a program uses it.
import { Http } from '../../http.mjs';
import { again } from '../../wait-for.mjs';

export class RestateClient {
  #http;
  #keys;
  #awakeables;
  #prefix = `${process.pid}-${performance.now()}`;
  #next = 0;

  /** `awakeables`: what each waiting handler told, by the key of its run. */
  constructor({ url, sockets, awakeables }) {
    this.#http = new Http({ url, sockets });
    this.#keys = new Map();
    this.#awakeables = awakeables;
  }

  /** The handlers are known since the service process was registered. */
  async apply() {}

  /** Request and answer in one, the least that Restate can be asked for. */
  async run(flow, input) {
    await this.#http.send('POST', `/bench/${flow}`, { ...input, key: this.#key() });
  }

  /** An invocation, not waited for. The idempotency key is what lets a client come back for the result. */
  async start(flow, input) {
    const key = this.#key();
    const answer = await this.#http.send('POST', `/bench/${flow}/send`, { ...input, key }, { 'idempotency-key': key });
    const { invocationId } = JSON.parse(answer);
    this.#keys.set(invocationId, key);
    return invocationId;
  }

  /** Resolves when the invocation has succeeded. */
  async ended(run) {
    await again(() => this.#http.send('GET', `/restate/invocation/${run}/attach`));
  }

  async wake(run) {
    await this.#http.send('POST', `/restate/awakeables/${this.#awakeables.get(this.#keys.get(run))}/resolve`, { ok: true });
  }

  /** How many handlers have come to their wait since the start. */
  async waiting() {
    return this.#awakeables.size;
  }

  close() {
    this.#http.close();
  }

  #key() {
    return `${this.#prefix}-${this.#next++}`;
  }
}
