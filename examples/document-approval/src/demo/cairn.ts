import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCairn, type World } from './processes.js';
import { paint, say, until } from './stage.js';

const SOURCE = '/demo';

/** The parts of the documents that the demo looks at (`docs/reference/history.md`, on the wire). */
export interface Receipt {
  readonly receiptId: string;
  readonly outcome: string;
  readonly runs: readonly { readonly run: string }[];
  readonly nearMisses: readonly { readonly clause: string; readonly expected: unknown; readonly got: unknown }[];
}
export interface RunView {
  readonly run: string;
  readonly state: string;
  readonly head: string;
  readonly revision: number;
}
export interface StoredEvent {
  readonly revision: number;
  readonly type: string;
  readonly metadata: { readonly at: string };
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ReviewView {
  readonly review: string;
  readonly run: string;
  readonly branch: string;
  readonly status: string;
  readonly options: readonly { readonly verdict: string; readonly preview: string }[];
  readonly subjects: readonly { readonly input: { readonly amountUsd?: number } }[];
}

/** One line of the payment server's ledger. */
export interface LedgerLine {
  readonly kind: 'request' | 'booking';
  readonly key: string;
}

interface History {
  readonly branches: readonly { readonly events: readonly StoredEvent[] }[];
}

/** The command line, shown as a person would type it, with its answer as data. */
export class Cairn {
  constructor(private readonly world: World) {}

  /** Runs a command, shows what people see, and gives its exit code. */
  async show(...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
    say(paint('cyan', `$ npx cairn ${args.map(quoted).join(' ')}`));
    const { code, out, err } = await runCairn(this.world, args);
    if (out !== '') say(out);
    if (err !== '') say(err);
    return { code, out };
  }

  /** Publishes an event and shows its receipt. */
  async send(url: string, type: string, key: string, id: string, data: object): Promise<Receipt> {
    const args = ['event', 'send', '--type', type, '--source', SOURCE, '--id', id, '--key', key, '--data', JSON.stringify(data)];
    await this.show(...args);
    return until('the event has its receipt', () => this.receipt(url, SOURCE, id));
  }

  /** The receipt of an event, once it says what the event did. */
  async receipt(url: string, source: string, id: string): Promise<Receipt | undefined> {
    const receipt = await this.get<Receipt>(url, `events?${new URLSearchParams({ source, id })}`);
    return receipt?.outcome === 'pending' ? undefined : receipt;
  }

  /** Plain HTTP for what is looked at again and again. `undefined` while nobody answers, or not with 200. */
  async get<T>(url: string, path: string): Promise<T | undefined> {
    const token = readFileSync(join(this.world.data, 'token'), 'utf8').trim();
    try {
      const answer = await fetch(`${url}/v1/${this.world.ns}/${path}`, { headers: { authorization: `Bearer ${token}` } });
      return answer.ok ? ((await answer.json()) as T) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Every event of a run, branch by branch in the order in which they opened. */
  async events(url: string, run: string): Promise<readonly StoredEvent[]> {
    return (await this.branches(url, run)).flat();
  }

  async branches(url: string, run: string): Promise<readonly (readonly StoredEvent[])[]> {
    const history = await until('the history is read', () => this.get<History>(url, `runs/${run}/history`));
    return history.branches.map(({ events }) => events);
  }
}

const quoted = (text: string): string => (/^[\w./:@=-]+$/.test(text) ? text : `'${text}'`);
