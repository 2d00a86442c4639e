import type { Difference } from '@cairn/bus-jetstream';
import type { ConsumerSpec } from '@cairn/ports';
import { EXIT } from '../exit-codes.js';
import { problem, Refusal } from '../refusal.js';
import type { DeclaredBus } from './declared.js';
import type { NatsConnection } from './nats-access.js';

/** One bus stream or consumer that is not as it must be, and what was done about it. */
export interface Mended {
  readonly kind: 'stream' | 'consumer';
  readonly name: string;
  readonly why: 'missing' | 'differs' | 'beyond_end';
  readonly did: 'made' | 'changed' | 'made_anew' | 'nothing';
  /** Where it differs: each field with what it must be and what it is. */
  readonly fields?: readonly { readonly field: string; readonly wanted: unknown; readonly found: unknown }[];
}

/** Makes the server equal to what is declared; with `dryRun` only says what it would. Throws a `Refusal` where it cannot. */
export async function applyBus(
  connection: NatsConnection,
  { streams, consumers }: Pick<DeclaredBus, 'streams' | 'consumers'>,
  { dryRun = false } = {},
): Promise<readonly Mended[]> {
  const { applyTopology, diffTopology, recreateConsumer } = await import('@cairn/bus-jetstream');
  try {
    const differences = await (dryRun ? diffTopology : applyTopology)(connection, streams, consumers);
    const lost = await beyondEnd(connection, consumers, differences);
    if (!dryRun) for (const spec of lost) await recreateConsumer(connection, spec);
    return [
      ...grouped(differences, dryRun),
      ...lost.map(({ durable }): Mended => ({ kind: 'consumer', name: durable, why: 'beyond_end', did: dryRun ? 'nothing' : 'made_anew' })),
    ];
  } catch (error) {
    throw refusalOf(error);
  }
}

/** Consumers whose stream lost what they had seen: they would be given nothing until it has grown up to their place. */
async function beyondEnd(
  connection: NatsConnection,
  consumers: readonly ConsumerSpec[],
  differences: readonly Difference[],
): Promise<readonly ConsumerSpec[]> {
  const { standingsOf } = await import('@cairn/bus-jetstream');
  const missing = new Set(differences.flatMap(({ name, field }) => (field === undefined ? name : [])));
  const there = consumers.filter(({ durable, busStream }) => !missing.has(durable) && !missing.has(busStream));
  return (await standingsOf(connection, there)).flatMap(({ spec, beyondEnd: lost }) => (lost ? spec : []));
}

/** The differences by what they are of. */
export function grouped(differences: readonly Difference[], dryRun: boolean): readonly Mended[] {
  const names = [...new Set(differences.map(({ kind, name }) => `${kind} ${name}`))];
  return names.map((one) => {
    const [kind, name] = one.split(' ') as ['stream' | 'consumer', string];
    const fields = differences.flatMap(({ kind: k, name: n, field, wanted, found }) =>
      k === kind && n === name && field !== undefined ? { field, wanted, found } : [],
    );
    if (fields.length === 0) return { kind, name, why: 'missing', did: dryRun ? 'nothing' : 'made' };
    return { kind, name, why: 'differs', did: dryRun ? 'nothing' : 'changed', fields };
  });
}

function refusalOf(error: unknown): unknown {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  if (code !== 'bus_unavailable') return error;
  const cause = (error as { readonly cause?: unknown }).cause;
  const why = cause instanceof Error && !String(message).includes(cause.message) ? `: ${cause.message}` : '';
  const noAnswers = /violation for subscription to "([^"]+)\.[^".]+\.\*"/i.exec(`${String(message)}${why}`);
  if (noAnswers !== null)
    return new Refusal(
      problem('nats_refused', 401, `The nats-server lets this user hear no answers below ${noAnswers[1] ?? '_INBOX'}.`),
      EXIT.failed,
      'set CAIRN_NATS_INBOX_PREFIX to the prefix of the user, as npx cairn bus keys shows it',
    );
  return new Refusal(
    problem('bus_not_applied', 409, `${String(message)}${why}.`),
    EXIT.failed,
    'look at it with --dry-run; what cannot be changed must be removed first, which loses no accepted run',
  );
}
