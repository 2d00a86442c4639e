import { parseRunStream, sealAppend, type ExpectedRevision, type JsonObject, type StoredEvent, type StreamName } from '@cairn/kernel';
import type { MutantId } from '../mutants.js';
import type { World } from '../world/world.js';

interface Body {
  readonly type: string;
  readonly version: number;
  readonly data: JsonObject;
}

/**
 * A run's append as a decider with the planted bug would have made it, sealed in its own name, or `undefined` if that bug has no part in
 * it. Whoever asked is told that somebody else was first, and goes on from what is stored.
 */
export function rewritten(
  world: World,
  stream: StreamName,
  expected: ExpectedRevision,
  events: readonly StoredEvent[],
): readonly StoredEvent[] | undefined {
  const [first] = events;
  const run = parseRunStream(stream);
  const plant = planted.find(([mutant]) => world.has(mutant))?.[1];
  if (first === undefined || plant === undefined) return undefined;
  const changed = plant(events.map(({ type, version, data }) => ({ type, version, data })));
  if (changed === undefined) return undefined;
  const { ns, prevHash } = first.metadata;
  const { at, actor, causationId } = first;
  return sealAppend({ stream, expected, prevHash, ns, ...run, at, actor, causationId }, changed);
}

const planted: readonly (readonly [MutantId, (bodies: readonly Body[]) => readonly Body[] | undefined])[] = [
  ['M-2', withAttemptInKey],
  ['M-17', withApproval],
  ['M-18', withBothVerdicts],
  ['M-20', withIntentInShadow],
  ['M-25', withoutWithdrawals],
];

/** Silence counts as a yes. */
function withApproval(bodies: readonly Body[]): readonly Body[] | undefined {
  const [only] = bodies;
  if (only?.type !== 'ReviewExpired') return undefined;
  const { reviewId } = only.data;
  const data = {
    reviewId,
    verdict: 'approve',
    option: 'approve',
    subjectDigest: '0'.repeat(64),
    by: ['service:human-review'],
    reason: 'silence',
  };
  return [{ type: 'ReviewDecided', version: 1, data: data as unknown as JsonObject }];
}

/** Who was slower is heard as well. */
function withBothVerdicts(bodies: readonly Body[]): readonly Body[] | undefined {
  const at = bodies.findIndex(({ type, data }) => type === 'VerdictApplied' && data['verdict'] === 'approve');
  const verdict = bodies[at];
  if (verdict === undefined) return undefined;
  const other = { ...verdict, data: { ...verdict.data, verdict: 'reject', then: 'skip', by: ['user:slow'] } };
  return bodies.toSpliced(at + 1, 0, other);
}

/** What a shadow only assumes it sends. */
function withIntentInShadow(bodies: readonly Body[]): readonly Body[] | undefined {
  const at = bodies.findIndex(({ type, data }) => type === 'StepStubbed' && data['from'] !== 'head');
  const stubbed = bodies[at];
  if (stubbed === undefined) return undefined;
  const step = String(stubbed.data['step']);
  const data = { key: `shadow/${step}`, suffix: 0, step, attemptId: '0'.repeat(26), fingerprint: '0'.repeat(64), guarantee: 'none' };
  return bodies.toSpliced(at, 0, { type: 'EffectIntended', version: 1, data });
}

function withAttemptInKey(bodies: readonly Body[]): readonly Body[] | undefined {
  if (!bodies.some(({ type }) => type === 'EffectIntended')) return undefined;
  const attempts = new Map(
    bodies.flatMap(({ type, data }) => (type === 'StepStarted' ? [[data['attemptId'], data['attempt']] as const] : [])),
  );
  return bodies.map((body) => {
    const attempt = attempts.get(body.data['attemptId'] as string);
    if (body.type !== 'EffectIntended' || attempt === undefined) return body;
    return { ...body, data: { ...body.data, key: `${String(body.data['key'])}/${String(attempt)}` } };
  });
}

function withoutWithdrawals(bodies: readonly Body[]): readonly Body[] | undefined {
  const kept = bodies.filter(({ type }) => type !== 'WaitWithdrawn');
  return bodies.at(-1)?.type === 'RunCancelled' && kept.length < bodies.length ? kept : undefined;
}
