import type { Id } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import type { Cluster } from './cluster.js';
import type { End, Histories } from './oracle.js';
import { chain, large, napping, policy, whole, WHOLE_SUM } from './workflows.js';

/** Between two tries of somebody whom nobody answered, and between two looks. */
const AGAIN_MS = 100;
/** People who ask at the same time. */
const AT_ONCE = 16;
/** Of an event that is not small. */
const LARGE_EVENT_BYTES = 10_240;

/** What was asked was understood and will never be granted. */
class RefusedForGood extends Error {}

/** People who start runs and send what these wait for, and ask again until they are answered: what they were promised is theirs (E-1). */
export class Load {
  /** Runs whose start was accepted, by key. */
  readonly accepted = new Map<string, Id>();
  private readonly asking = new Set<Promise<void>>();
  private people = 0;
  private readonly queued: (() => void)[] = [];
  private count = 0;
  private judged = 0;
  private readonly allowed = new Map<string, readonly End['type'][]>();
  private stopped = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly histories: Histories,
    private readonly seed: number,
  ) {}

  async prepare(): Promise<void> {
    await this.insist('PUT', 'policies/chaos-quick', policy);
    for (const definition of [whole, large, napping]) await this.insist('PUT', `definitions/${definition.name}`, definition);
    await this.cluster.stack.applyBus(); // The consumers of their queues.
  }

  /** A workflow of so many short steps for one queue. */
  async define(name: string, queue: string, steps: number): Promise<void> {
    await this.insist('PUT', `definitions/${name}`, chain(name, queue, steps));
    await this.cluster.stack.applyBus();
  }

  /** A new version of a policy that nobody uses. Nobody waits for it. */
  async applyAnotherPolicy(): Promise<void> {
    const network = { ...policy.buckets.network, attempts: 2 + (this.count++ % 10) };
    const another = { ...policy, policy: 'chaos-idle', buckets: { ...policy.buckets, network } };
    await this.cluster.call('PUT', 'policies/chaos-idle', another).catch(() => undefined);
  }

  /** Starts so many runs; resolves when each is accepted and was sent what it will wait for. Gives their keys. */
  async start(n: number, workflow = 'chaos', input: object = {}): Promise<readonly string[]> {
    const keys = Array.from({ length: n }, () => `${workflow}-${this.seed}-${this.count++}`);
    await Promise.all(keys.map((key) => this.ask(key, workflow, input)));
    return keys;
  }

  /** Starts runs that nobody waits for: their tasks lie in a queue that nobody serves. */
  async startAside(n: number, workflow: string): Promise<void> {
    const start = (i: number) => () => this.insist<void>('POST', `workflows/${workflow}/runs`, { key: `aside-${this.seed}-${i}` });
    await Promise.all(Array.from({ length: n }, (_, i) => this.inTurn(start(i))));
  }

  /** Keeps so many runs under way until the promise settles. */
  async pumpWhile(work: Promise<unknown>, n: number): Promise<void> {
    let over = false;
    const end = (): void => void (over = true);
    work.then(end, end);
    while (!over) {
      const missing = n - this.open.length - this.asking.size;
      if (missing > 0) void this.start(missing).catch(() => undefined); // Only when the case is given up.
      await pause(AGAIN_MS);
    }
  }

  /** Keys of runs that were accepted and have not come to rest. */
  get open(): readonly string[] {
    return [...this.accepted].filter(([, runId]) => !this.histories.hasEnded(runId)).map(([key]) => key);
  }

  /** Waits until all that was asked is accepted and has come to rest, or rejects naming what has not. */
  async settled(patienceMs: number): Promise<void> {
    try {
      await waitUntil('everything has come to rest', () => this.asking.size === 0 && this.open.length === 0, patienceMs);
    } catch (error) {
      const { open } = this;
      const says = `after ${patienceMs} ms ${this.asking.size} people are still asking, ${open.length} of ${this.accepted.size} runs are open`;
      throw new Error(
        `${says}: ${open
          .slice(0, 5)
          .map((key) => `${key} ${this.accepted.get(key) ?? ''}`)
          .join(', ')}`,
        { cause: error },
      );
    }
  }

  /** Runs by key that were accepted since the last judgement. */
  unjudged(): ReadonlyMap<string, Id> {
    return new Map([...this.accepted].slice(this.judged));
  }

  takeUnjudged(): ReadonlyMap<string, Id> {
    const taken = this.unjudged();
    this.judged = this.accepted.size;
    return taken;
  }

  /** Runs of this workflow may end in any of these ways. Others must complete. */
  allow(workflow: string, ends: readonly End['type'][]): void {
    this.allowed.set(workflow, ends);
  }

  /** Runs that did not end with what was asked for; those that stand because an effect is in doubt end as they must. */
  wrongEnds(runs: ReadonlyMap<string, Id>): readonly string[] {
    return [...runs].flatMap(([key, runId]) => {
      const end = this.histories.ends.get(runId);
      const wanted = key.startsWith('chaos-') ? JSON.stringify({ sum: WHOLE_SUM }) : undefined;
      if (end?.type === 'stands' && end.effectUnknown) return [];
      if (end !== undefined && this.allowed.get(key.split('-')[0] ?? '')?.includes(end.type) === true) return [];
      const right = end?.type === 'RunCompleted' && (wanted === undefined || JSON.stringify(end.output) === wanted);
      return right ? [] : [`${key} ${runId}: ${JSON.stringify(end)}`];
    });
  }

  stop(): void {
    this.stopped = true;
  }

  /** Asks until it is answered with success. Throws only what will never be granted, or when the case is over. */
  async insist<T>(
    method: string,
    path: string,
    body: unknown,
    isAnswer: (body: T) => boolean = () => true,
    headers: Record<string, string> = {},
  ): Promise<T> {
    for (;;) {
      const answer = await this.cluster.call<T>(method, path, body, headers).catch(() => undefined);
      if (answer !== undefined && answer.status < 300 && isAnswer(answer.body)) return answer.body;
      const final = answer !== undefined && answer.status >= 400 && answer.status < 429 && answer.status !== 404; // Lists may lag.
      if (final) throw new RefusedForGood(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      if (this.stopped) throw new RefusedForGood(`${method} ${path}: the case is over`);
      await pause(AGAIN_MS);
    }
  }

  private async ask(key: string, workflow: string, input: object): Promise<void> {
    const asked = this.inTurn(() => this.startOne(key, workflow, input));
    this.asking.add(asked);
    await asked.finally(() => this.asking.delete(asked));
  }

  private async inTurn(act: () => Promise<void>): Promise<void> {
    if (this.people >= AT_ONCE) await new Promise<void>((turn) => this.queued.push(turn));
    this.people++;
    try {
      await act();
    } finally {
      this.people--;
      this.queued.shift()?.();
    }
  }

  /** `pending` is no acceptance (P-1): who gets it asks again under the same key or id. */
  private async startOne(key: string, workflow: string, input: object): Promise<void> {
    const isSettled = ({ outcome }: { readonly outcome: string }): boolean => outcome !== 'pending';
    const body = { key, input: { key, ...input } };
    const { runId } = await this.insist<{ runId: Id; outcome: string }>('POST', `workflows/${workflow}/runs`, body, isSettled);
    this.accepted.set(key, runId);
    if (workflow !== 'chaos' && workflow !== 'large') return;
    const data = { key, filler: workflow === 'large' ? 'x'.repeat(LARGE_EVENT_BYTES) : '' };
    const event = { specversion: '1.0', id: `go-${key}`, source: '/chaos', type: 'chaos.go', cairnkey: key, data };
    await this.insist('POST', 'events', event, isSettled);
    if (workflow === 'large') return;
    await this.insist('POST', `runs/${runId}/signals/now`, {}, isSettled, { 'idempotency-key': key });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
