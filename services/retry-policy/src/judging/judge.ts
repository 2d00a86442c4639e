import { crashPoint } from '@cairn/application';
import { subjects, type CommandAnswer, type CommandMessage } from '@cairn/contracts';
import { judgeFailure, type FailedAttempt } from '@cairn/domain-retry/decider';
import type { PolicyState } from '@cairn/domain-retry';
import type { ApplyRetryDecision, Failure, StepFailed } from '@cairn/domain-run';
import { invariant, partitionOf, runStream, type JsonObject } from '@cairn/kernel';
import { ASK_DEADLINE_MS, type Artifacts, type Bus, type EventStore, type Ids } from '@cairn/ports';
import type { Failures, Undecided } from '../working-set/failures.js';
import { Runs } from './runs.js';
import { spentUsd } from './spend.js';

export interface JudgeParts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  readonly ids: Ids;
  readonly failures: Failures;
}

/**
 * Judges failures and asks execution to record what it judged; execution decides whether that came in time. A judgement follows from the
 * history up to its failure alone, so whoever judges it, however often, says the same.
 */
export class Judge {
  private readonly runs: Runs;

  constructor(private readonly parts: JudgeParts) {
    this.runs = new Runs(parts);
  }

  /** Throws faults of the store, the artifacts and the bus. Settles the failure unless execution refused, which is told by throwing. */
  async judge(undecided: Undecided): Promise<void> {
    const command = await this.commandFor(undecided);
    const answer = await this.ask(undecided, command);
    invariant(answer.kind !== 'rejected', `attempt ${undecided.attemptId}: execution refuses the decision`);
    this.parts.failures.settle(undecided.attemptId); // `nothing('late')` settles it too.
  }

  private async commandFor(undecided: Undecided): Promise<ApplyRetryDecision> {
    const { step: occurrence, attemptId } = undecided;
    const { step, policy } = await this.runs.lookUp(undecided.runId, occurrence);
    const failed: FailedAttempt = {
      failure: undecided.failure ?? (await this.readFailure(undecided)),
      attempt: undecided.attempt,
      failedEventId: undecided.eventId,
      failedAt: undecided.at,
      firstFailedAt: undecided.firstFailedAt,
      failedInRun: undecided.failedInRun,
      earlier: this.parts.failures.shown(undecided),
      ...(step.effect === undefined ? {} : { guarantee: step.effect.guarantee }),
      ...(policy.policy.limits.usd === undefined ? {} : { usd: await spentUsd(this.parts.store, undecided) }),
    };
    crashPoint('folded');
    const judgement = judgeFailure(failed, policy);
    crashPoint('decided');
    return { type: 'ApplyRetryDecision', data: { step: occurrence, attemptId, ...judgement, policy: pinOf(policy) } };
  }

  private async readFailure({ runId, branch, revision }: Undecided): Promise<Failure> {
    const [event] = await this.parts.store.read(runStream(runId, branch), revision, revision);
    invariant(event?.type === 'StepFailed', `run ${runId}: no failure at ${branch}@${revision}`);
    return (event.data as unknown as StepFailed['data']).failure;
  }

  private async ask({ ns, runId, eventId }: Undecided, { type, data }: ApplyRetryDecision): Promise<CommandAnswer> {
    const { bus, ids } = this.parts;
    const id = ids.next();
    const actor = `policy:${data.policy.name}@${data.policy.version}`;
    const body: CommandMessage = { id, ns, runId, type, actor, causationId: eventId, data: data as unknown as JsonObject };
    const subject = subjects.executionCommand(ns, partitionOf(runId), type);
    return (await bus.ask({ subject, id, body: body as unknown as JsonObject }, ASK_DEADLINE_MS)) as unknown as CommandAnswer;
  }
}

const pinOf = ({ name, version, hash, revision }: PolicyState): ApplyRetryDecision['data']['policy'] => ({ name, version, hash, revision });
