import { subjects, type CommandAnswer, type CommandMessage } from '@cairn/contracts';
import type { ApplyRetryDecision } from '@cairn/domain-run';
import { judgeFailure } from '@cairn/domain-retry/decider';
import { partitionOf, type JsonObject } from '@cairn/kernel';
import { ASK_DEADLINE_MS, type Bus, type EventStore, type Ids, type Metrics } from '@cairn/ports';
import { readFailure, type ReadFailure } from './failed-attempt.js';
import type { Policies } from './policies.js';
import type { Undecided, UndecidedSet } from './undecided-set.js';

export interface JudgeParts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly ids: Ids;
  readonly metrics: Metrics;
  readonly policies: Policies;
  readonly set: UndecidedSet;
}

/** Judges failures and asks execution to record what it judged. Execution decides whether that came in time. */
export class Judge {
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(private readonly parts: JudgeParts) {}

  /** Judges the failure at that place of a run's history, unless it is being judged already. Throws faults of store and bus. */
  judge(place: Undecided): Promise<void> {
    const key = `${place.runId}+${place.branch}@${place.revision}`;
    const underWay = this.underWay.get(key);
    if (underWay !== undefined) return underWay;
    const judging = this.judgeOnce(place).finally(() => this.underWay.delete(key));
    this.underWay.set(key, judging);
    return judging;
  }

  private async judgeOnce(place: Undecided): Promise<void> {
    const { store, policies, set, metrics } = this.parts;
    const failed = await readFailure(store, place);
    if (failed === undefined) return;
    const command = await this.commandFor(failed, place.ns, policies);
    const answer = await this.ask(place, command, failed.failedEventId);
    if (answer.kind !== 'rejected') set.failures.delete(failed.attemptId); // `nothing('late')` settles it too.
    if (answer.kind === 'accepted')
      metrics.count('cairn_retry_attempts_total', { ns: place.ns, bucket: command.data.bucket, decision: command.data.decision });
  }

  private async commandFor(failed: ReadFailure, ns: string, policies: Policies): Promise<ApplyRetryDecision> {
    const policy = await policies.of(ns);
    const judgement = judgeFailure(failed, policy);
    const { name, version, hash, revision } = policy;
    const { step, attemptId } = failed;
    return { type: 'ApplyRetryDecision', data: { step, attemptId, ...judgement, policy: { name, version, hash, revision } } };
  }

  private async ask({ ns, runId }: Undecided, command: ApplyRetryDecision, causationId: string): Promise<CommandAnswer> {
    const { bus, ids } = this.parts;
    const id = ids.next();
    const body: CommandMessage = {
      id,
      ns,
      runId,
      type: command.type,
      actor: `policy:${command.data.policy.name}@${command.data.policy.version}`,
      causationId,
      data: command.data as unknown as JsonObject,
    };
    const subject = subjects.executionCommand(ns, partitionOf(runId), command.type);
    return (await bus.ask({ subject, id, body: body as unknown as JsonObject }, ASK_DEADLINE_MS)) as unknown as CommandAnswer;
  }
}
