import { SweepLoop, WorkingSet, type Folds } from '@cairn/application';
import { namespaceOf, retryPolicyCommands, retryPolicyOnStepFailed } from '@cairn/contracts';
import { parseOccurrence, type StepFailed } from '@cairn/domain-run';
import { parseRunStream, type JsonObject, type StoredEvent } from '@cairn/kernel';
import {
  done,
  type Artifacts,
  type Bound,
  type Bus,
  type Clock,
  type EventStore,
  type Ids,
  type IncomingMessage,
  type Metrics,
  type NamedArtifacts,
  type Randomness,
  type Settlement,
} from '@cairn/ports';
import type { RetryPolicyConfig } from './config.js';
import { Judge } from './judging/judge.js';
import { JudgingQueue } from './judging/judging-queue.js';
import { applyPolicy } from './policies/apply-policy.js';
import { introducePolicies } from './policies/introduce-policies.js';
import { Failures } from './working-set/failures.js';

export interface RetryPolicyPorts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  /** Checkpoints. */
  readonly disposables: NamedArtifacts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
}

export interface RetryPolicyOptions extends RetryPolicyPorts {
  readonly config?: RetryPolicyConfig;
  /** What is folded here is put into it, for whoever makes it anew. */
  readonly folds?: Folds;
  /** `false` where doors of Nest bind the consumers and call the methods below. */
  readonly bindBus?: boolean;
}

/** retry-policy: whether a failed attempt is tried again, and why. Judges what the history's tail brings; the bus only rings. */
export interface RetryPolicy {
  /** Resolves when the policies exist and the working set has caught up. Throws `StoreFault`. */
  start(): Promise<void>;
  /** Judges nothing new; resolves when what is under way has come to its end. */
  stop(): Promise<void>;
  /** Consumer `retryPolicyOnStepFailed`: a run's history has grown. */
  onStepFailed(message: IncomingMessage): Promise<Settlement>;
  /** Consumer `retryPolicyCommands`. A fault makes the message come again. */
  takeCommand(message: IncomingMessage): Promise<Settlement>;
}

/** Ports in, service out. */
export function assembleRetryPolicy(options: RetryPolicyOptions): RetryPolicy {
  const { store, bus, artifacts, disposables, clock, ids, metrics, config = {} } = options;
  const failures = new Failures();
  const judge = new Judge({ store, bus, artifacts, ids, failures });
  const queue = new JudgingQueue((failure) => judge.judge(failure), metrics);
  let running = false;
  let bound: readonly Bound[] = [];

  const ringAll = (): Promise<void> => {
    if (running && workingSet.isLive) for (const failure of failures.all()) queue.ring(failure);
    return Promise.resolve();
  };
  const onFolded = (events: readonly StoredEvent[]): void => {
    for (const { type, data, stream } of events) {
      // What an effect has done, or that nobody can tell, is known now: what waited for that is judged.
      const isFoundOut =
        type === 'EffectAbsent' ||
        type === 'EffectUnknown' ||
        (type === 'RetryDecided' && parseOccurrence(String(data['step'])).part !== undefined);
      const run = running && isFoundOut ? parseRunStream(stream)?.runId : undefined;
      if (run !== undefined) for (const failure of failures.of(run)) queue.ring(failure);
      const failure = type === 'StepFailed' ? failures.get((data as unknown as StepFailed['data']).attemptId) : undefined;
      if (running && failure !== undefined) queue.ring(failure); // Else a later event of the batch has decided it.
    }
  };
  const workingSet: WorkingSet = new WorkingSet({ store, disposables, clock, metrics }, failures, {
    onFolded,
    onCaughtUp: () => sweepLoop.sweepNow(),
  });
  options.folds?.add('retry-policy', [workingSet]);
  const sweepLoop = new SweepLoop({
    clock,
    metrics,
    name: 'retry-policy',
    sweep: ringAll,
    ...(config.sweepIntervalMs === undefined ? {} : { intervalMs: config.sweepIntervalMs }),
  });

  const service: RetryPolicy = {
    async start() {
      await introducePolicies({ store, clock }, config.namespaces ?? ['default']);
      running = true;
      sweepLoop.start();
      await workingSet.start();
      await workingSet.caughtUp;
      if (options.bindBus === false) return;
      bound = await Promise.all([
        bus.consume(retryPolicyOnStepFailed, (message) => service.onStepFailed(message)),
        bus.consume(retryPolicyCommands, (message) => service.takeCommand(message)),
      ]);
    },
    async stop() {
      running = false;
      await Promise.all(bound.map((one) => one.stop()));
      await sweepLoop.stop();
      await queue.stop();
      await workingSet.stop();
    },
    onStepFailed() {
      workingSet.nudge();
      return Promise.resolve(done);
    },
    async takeCommand({ subject, id, body }) {
      const name = subject.slice(subject.lastIndexOf('.') + 1);
      if (name !== 'apply-policy') {
        const rejection = { code: 'command_unknown', detail: `retry-policy knows no command ${name}` };
        return { kind: 'never', reason: rejection.detail, answer: { kind: 'rejected', rejection } };
      }
      const answer = await applyPolicy(
        { store, clock },
        {
          id,
          ns: namespaceOf(subject),
          actor: typeof body['actor'] === 'string' ? body['actor'] : 'service:retry-policy',
          name: String(body['name']),
          document: body['document'],
        },
      );
      return { kind: 'done', answer: answer as unknown as JsonObject };
    },
  };
  return service;
}
