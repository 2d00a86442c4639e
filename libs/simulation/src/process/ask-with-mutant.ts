import type { CommandMessage } from '@cairn/contracts';
import type { ApplyRetryDecision } from '@cairn/domain-run';
import { instantOf, policyStream, type JsonObject } from '@cairn/kernel';
import { policyNamed, type RetryRule } from '@cairn/oracle';
import type { OutgoingMessage } from '@cairn/ports';
import type { World } from '../world/world.js';

type Decided = ApplyRetryDecision['data'];

/** Longer than any pause of the workloads' policies: what is planted is another attempt, not an early one. */
const PAUSE_MS = 4_000;

/**
 * The judge's part of the planted bugs, on the way of its decisions to execution: another message, or none, which is answered as if
 * it had arrived.
 */
export function askWithMutant(world: World, message: OutgoingMessage): OutgoingMessage | 'never sent' {
  if (!world.has('M-13') && !world.has('M-15') && !world.has('M-22')) return message;
  const body = message.body as unknown as CommandMessage;
  if (body.type !== 'ApplyRetryDecision') return message;
  const data = body.data as unknown as Decided;
  if (data.decision === 'retry') return message;
  const rule = ruleOf(world, body.ns, data);
  if (world.has('M-15')) return rule === undefined ? message : 'never sent';
  if (world.has('M-22')) return data.bucket === 'effect_unknown' ? withData(message, retried(world, data, 'time_passes')) : message;
  const once = `${body.runId} ${data.step}`;
  if (rule === undefined || world.planted.has(once)) return message;
  world.planted.add(once);
  return withData(message, retried(world, data, rule.expects ?? 'time_passes'));
}

/** The rule by which this failure would be tried again if it had not been tried so often: it is exhausted. */
function ruleOf(world: World, ns: string, { bucket, policy }: Decided): RetryRule | undefined {
  return policyNamed(world.store.allStreams().get(policyStream(ns, policy.name)) ?? [], ns, policy)?.retriesOf(bucket)[0];
}

function retried(world: World, { queue: _nobody, ...data }: Decided, expectedChange: string): Decided {
  const notBefore = instantOf(world.clock.now() + PAUSE_MS);
  return { ...data, decision: 'retry', justification: { ...data.justification, expectedChange }, notBefore };
}

const withData = (message: OutgoingMessage, data: Decided): OutgoingMessage => ({
  ...message,
  body: { ...message.body, data: data as unknown as JsonObject },
});
