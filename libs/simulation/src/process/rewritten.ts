import { parseRunStream, sealAppend, type ExpectedRevision, type JsonObject, type StoredEvent, type StreamName } from '@cairn/kernel';
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
  if (first === undefined || run === undefined || !(world.has('M-2') || world.has('M-25'))) return undefined;
  const bodies = events.map(({ type, version, data }) => ({ type, version, data }));
  const changed = world.has('M-2') ? withAttemptInKey(bodies) : withoutWithdrawals(bodies);
  if (changed === undefined) return undefined;
  const { ns, prevHash } = first.metadata;
  const { at, actor, causationId } = first;
  return sealAppend({ stream, expected, prevHash, ns, ...run, at, actor, causationId }, changed);
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
