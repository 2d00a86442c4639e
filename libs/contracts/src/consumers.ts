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

/** Commands and replies of runs. `ackWaitMs` is short: a replica that died must not hold a run (`architecture.md` §4.4). */
export const executionRun: ConsumerSpec = {
  durable: 'execution__run',
  busStream: 'CAIRN_RUN',
  filters: ['cairn.*.cmd.execution.*.*', 'cairn.*.reply.*'],
  ...common,
  ackWaitMs: 5_000,
  inFlightMax: 4_096,
};

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

export const consumers: readonly ConsumerSpec[] = [
  schedulingIntake,
  schedulingCommands,
  schedulingOnRunFacts,
  executionRun,
  retryPolicyOnStepFailed,
  retryPolicyCommands,
];
