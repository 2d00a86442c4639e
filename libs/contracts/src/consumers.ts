import { invariant, isName, isNamespace, PARTITIONS } from '@cairn/kernel';
import type { ConsumerSpec } from '@cairn/ports';

const common = { ackWaitMs: 30_000, bugsMax: 8, inFlightMax: 256 } as const;

/** Every inbound event of every namespace: one door. */
export const schedulingIntake: ConsumerSpec = {
  durable: 'scheduling__intake',
  busStream: 'CAIRN_IN',
  filters: ['cairn.*.in.>', 'cairn.*.run.>'],
  ...common,
  inFlightMax: 1_024,
};

/** What people ask of scheduling: apply a definition. */
export const schedulingCommands: ConsumerSpec = {
  durable: 'scheduling__commands',
  busStream: 'CAIRN_CMD',
  filters: ['cairn.*.cmd.scheduling.*'],
  ...common,
};

/** Rings scheduling when a run opened a wait, decided a retry or emitted. Losing it costs one sweep. */
export const schedulingOnRunFacts: ConsumerSpec = {
  durable: 'scheduling__on-run-facts',
  busStream: 'CAIRN_EVT',
  filters: ['cairn.*.evt.run.>'],
  ...common,
};

/** Commands and replies of runs where one process does all: the embedded default. On a server there is one consumer a partition. */
export const executionRun: ConsumerSpec = {
  durable: 'execution__run',
  busStream: 'CAIRN_RUN',
  filters: ['cairn.*.cmd.execution.*.*', 'cairn.*.reply.*'],
  ...common,
  ackWaitMs: 5_000,
  inFlightMax: 4_096,
};

/**
 * Commands and replies of the runs of one partition, which go to the replica that ranks first for it. `ackWaitMs` is short: a replica
 * that died must not hold a run (`architecture.md` §4.4).
 */
export const executionPartition = (partition: number): ConsumerSpec => ({
  durable: `execution__run-${partition}`,
  busStream: 'CAIRN_RUN',
  filters: [`cairn.*.cmd.execution.${partition}.*`, `cairn.*.reply.${partition}`],
  ...common,
  ackWaitMs: 1_000,
  inFlightMax: 1_024,
  prioritized: true,
});

/**
 * Tasks of one queue for handlers that take them as messages (`capabilities.md` §4). Whoever works for longer than a second
 * acknowledges first, so what is not acknowledged in this time lies with a handler that died.
 */
export function workQueue(ns: string, queue: string): ConsumerSpec {
  invariant(isNamespace(ns) && isName(queue), `no queue: ${ns} ${queue}`.slice(0, 80));
  return {
    durable: `${ns}__${queue}`,
    busStream: 'CAIRN_WORK',
    filters: [`cairn.${ns}.work.${queue}`],
    ...common,
    ackWaitMs: 1_500,
    inFlightMax: 1_024,
  };
}

/** Rings retry-policy when an attempt has failed, in any namespace. Losing it costs one sweep, never a retry. */
export const retryPolicyOnStepFailed: ConsumerSpec = {
  durable: 'retry-policy__on-step-failed',
  busStream: 'CAIRN_EVT',
  filters: ['cairn.*.evt.run.step-failed.*'],
  ...common,
};

/** What people ask of retry-policy: apply a policy. */
export const retryPolicyCommands: ConsumerSpec = {
  durable: 'retry-policy__commands',
  busStream: 'CAIRN_CMD',
  filters: ['cairn.*.cmd.retry-policy.*'],
  ...common,
};

/** Rings human-review when a run asks people, or does not any more. Losing it costs one sweep, never a review. */
export const humanReviewOnRunFacts: ConsumerSpec = {
  durable: 'human-review__on-run-facts',
  busStream: 'CAIRN_EVT',
  filters: ['cairn.*.evt.run.review-requested.*', 'cairn.*.evt.run.review-withdrawn.*', 'cairn.*.evt.run.verdict-applied.*'],
  ...common,
};

/** What people ask of human-review: to claim, to comment, to decide. */
export const humanReviewCommands: ConsumerSpec = {
  durable: 'human-review__commands',
  busStream: 'CAIRN_CMD',
  filters: ['cairn.*.cmd.human-review.*'],
  ...common,
};

/** Those of the services, as `cairn bus apply` makes them; those of the queues follow from the stored definitions (`workQueue`). */
export const consumers: readonly ConsumerSpec[] = [
  schedulingIntake,
  schedulingCommands,
  schedulingOnRunFacts,
  ...Array.from({ length: PARTITIONS }, (_, partition) => executionPartition(partition)),
  retryPolicyOnStepFailed,
  retryPolicyCommands,
  humanReviewOnRunFacts,
  humanReviewCommands,
];
