import { createInterface } from 'node:readline';
import type { FoldView, RebuildLine } from '@cairn/contracts';
import type { Client } from '../client.js';
import { EXIT } from '../exit-codes.js';
import { problem, Refusal } from '../refusal.js';
import { tail } from '../show.js';

/** How everything that is folded from the history compares with what the history says. */
export interface Rebuilt {
  readonly equal: boolean;
  /** Services, or replicas of them, that said nothing. */
  readonly unreached: readonly string[];
  readonly folds: readonly FoldView[];
}

/** Has everything folded anew by every service. Throws a `Refusal`. */
export async function rebuild(client: Client): Promise<Rebuilt> {
  const response = await client.open({ method: 'POST', path: 'doctor:rebuild' });
  const folds: FoldView[] = [];
  try {
    for await (const text of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
      const line = JSON.parse(text) as RebuildLine;
      if (line.kind === 'end') return { equal: line.equal, unreached: line.unreached, folds };
      const { kind: _, ...fold } = line;
      folds.push(fold);
    }
  } catch {
    // As below: what came is no whole answer.
  }
  throw new Refusal(
    problem(
      'rebuild_broken_off',
      503,
      `The answer of ${client.connection.url} broke off: it ended, or the event store or the bus is away.`,
    ),
    EXIT.unreachable,
    'npx cairn doctor',
  );
}

/** Characters of a digest that people are shown. */
const DIGEST_SHOWN = 12;

/** One fold as columns: whether it is equal, whose it is, what it is, what was folded, and the digests. */
export function foldColumns({ service, process, fold, events, seconds, before, after, equal, problem }: FoldView): readonly string[] {
  const verdict = problem !== undefined ? 'failed' : equal ? 'equal' : 'differs';
  const [had, says] = [before.slice(0, DIGEST_SHOWN), after.slice(0, DIGEST_SHOWN)];
  const shown = problem ?? (equal ? had : `${had} -> ${says}, mended`);
  return [verdict, `${service} ${tail(process)}`, fold, `${events} events in ${seconds.toFixed(2)} s`, shown];
}
