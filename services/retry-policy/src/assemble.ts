import { inParallel, SweepLoop, WorkingSet } from '@cairn/application';
import { retryPolicyOnStepFailed, type RunFact } from '@cairn/contracts';
import {
  done,
  isFault,
  type Artifacts,
  type Bound,
  type Bus,
  type Clock,
  type EventStore,
  type Ids,
  type IncomingMessage,
  type Metrics,
  type Randomness,
  type Settlement,
} from '@cairn/ports';
import type { RetryPolicyConfig } from './config.js';
import { Judge } from './judging/judge.js';
import { Policies } from './judging/policies.js';
import { UndecidedSet } from './judging/undecided-set.js';

export interface RetryPolicyPorts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
}

export interface RetryPolicyOptions extends RetryPolicyPorts {
  readonly config?: RetryPolicyConfig;
  /** `false` where a door of Nest binds the consumer and calls `onStepFailed`. */
  readonly bindBus?: boolean;
}

/** retry-policy: whether a failed attempt is tried again, and why. */
export interface RetryPolicy {
  /** Resolves when the policies exist and the working set has caught up. Throws `StoreFault`. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Consumer `retryPolicyOnStepFailed`. A fault makes the message come again. */
  onStepFailed(message: IncomingMessage): Promise<Settlement>;
}

/** Ports in, service out. */
export function assembleRetryPolicy(options: RetryPolicyOptions): RetryPolicy {
  const { store, bus, artifacts, clock, ids, metrics, config = {} } = options;
  const policies = new Policies({ store, clock });
  const set = new UndecidedSet();
  const judge = new Judge({ store, bus, ids, metrics, policies, set });

  const sweep = async (): Promise<void> => {
    if (!workingSet.isLive) return;
    await inParallel([...set.failures.values()], async (failure) => {
      await judge
        .judge(failure)
        .catch((error: unknown) =>
          metrics.count('cairn_sweep_errors_total', { service: 'retry-policy', kind: isFault(error) ? 'fault' : 'bug' }),
        );
    });
  };
  const sweepLoop = new SweepLoop({
    clock,
    metrics,
    name: 'retry-policy',
    sweep,
    ...(config.sweepIntervalMs === undefined ? {} : { intervalMs: config.sweepIntervalMs }),
  });
  const workingSet: WorkingSet = new WorkingSet({ store, artifacts, clock, metrics }, set, {
    onFolded: () => undefined, // The fact rings; the sweep is for lost facts.
    onCaughtUp: () => sweepLoop.sweepNow(),
  });

  const onStepFailed = async ({ body }: IncomingMessage): Promise<Settlement> => {
    const { ns, runId, branch, revision } = body as unknown as RunFact;
    await judge.judge({ ns, runId, branch, revision });
    return done;
  };
  let bound: Bound | undefined;

  return {
    onStepFailed,
    async start() {
      for (const ns of config.namespaces ?? ['default']) await policies.of(ns);
      sweepLoop.start();
      await workingSet.start();
      await workingSet.caughtUp;
      if (options.bindBus !== false) bound = await bus.consume(retryPolicyOnStepFailed, onStepFailed);
    },
    async stop() {
      await bound?.stop();
      await sweepLoop.stop();
      await workingSet.stop();
    },
  };
}
