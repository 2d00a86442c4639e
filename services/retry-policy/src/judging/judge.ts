import { crashPoint } from '@cairn/application';
import { subjects, type CommandAnswer, type CommandMessage } from '@cairn/contracts';
import { changesWork, judgeFailure, waysLeft, type DeclaredWays, type FailedAttempt, type TakenWays } from '@cairn/domain-retry/decider';
import type { PolicyState } from '@cairn/domain-retry';
import type { Plan, PlannedStep } from '@cairn/domain-definition';
import { parseOccurrence, type ApplyRetryDecision, type Failure, type StepFailed, type StepStarted } from '@cairn/domain-run';
import { invariant, InvariantBroken, partitionOf, runStream, type JsonObject, type Revision } from '@cairn/kernel';
import { ASK_DEADLINE_MS, type Artifacts, type Bus, type EventStore, type Ids } from '@cairn/ports';
import type { Failures, Undecided } from '../working-set/failures.js';
import { recounted } from './recount.js';
import { Runs } from './runs.js';
import { spentUsd } from './spend.js';

/** Events that are read first where an attempt's beginning is looked for; each further page is twice as long. */
const START_PAGE = 64;

export interface JudgeParts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  readonly ids: Ids;
  readonly failures: Failures;
}

/**
 * Judges failures and asks execution to record what it judged; execution decides whether that came in time. A judgement follows from the
 * history up to its failure, and from what was found out since of its effect, so whoever judges it, however often, says the same.
 */
export class Judge {
  private readonly runs: Runs;

  constructor(private readonly parts: JudgeParts) {
    this.runs = new Runs(parts);
  }

  /** Throws faults of the store, the artifacts and the bus. Settles the failure unless execution refused, which is told by throwing. */
  async judge(undecided: Undecided): Promise<void> {
    const refused: { readonly change: JsonObject; readonly says: string }[] = [];
    let command = await this.commandFor(undecided, refused);
    let answer = await this.ask(undecided, command);
    // What it would change does not fit the run as it is: something else must follow, and the history says why. Each change is asked once.
    while (answer.kind === 'rejected' && command.data.change !== undefined) {
      refused.push({ change: command.data.change, says: answer.rejection.detail });
      command = await this.commandFor(undecided, refused);
      answer = await this.ask(undecided, command);
    }
    if (answer.kind === 'nothing' && answer.because === 'early') return; // It is being found out what happened: rung again then.
    invariant(answer.kind !== 'rejected', `attempt ${undecided.attemptId}: execution refuses the decision`);
    this.parts.failures.settle(undecided.attemptId); // `nothing('late')` settles it too.
  }

  private async commandFor(rung: Undecided, refused: NonNullable<FailedAttempt['refused']>): Promise<ApplyRetryDecision> {
    const { step: occurrence, attemptId } = rung;
    const { undecided, shown } =
      rung.partial === true ? await recounted(this.parts.store, rung) : { undecided: rung, shown: this.parts.failures.shown(rung) };
    const { plan, step, policy } = await this.runs.lookUp(undecided, occurrence);
    const { part } = parseOccurrence(occurrence);
    const failure = undecided.failure ?? (await this.readFailure(undecided));
    const told: FailedAttempt = {
      failure: undecided.foundAbsent === true ? { ...failure, sideEffect: 'none' } : failure,
      attempt: undecided.attempt,
      failedEventId: undecided.eventId,
      failedAt: undecided.at,
      firstFailedAt: undecided.firstFailedAt,
      failedInRun: undecided.failedInRun,
      earlier: shown,
      refused,
      ...(undecided.since === undefined ? {} : { since: undecided.since }),
      ...(step.effect === undefined || part !== undefined ? {} : { guarantee: step.effect.guarantee, inDoubt: undecided.inDoubt }),
      // Who looks for an effect, or undoes it, has no other way to do that.
      ...(part === undefined ? { ways: waysLeft(step.id, declaredOf(step, plan), takenOf(step, undecided)) } : {}),
      ...(policy.policy.limits.usd === undefined ? {} : { usd: await spentUsd(this.parts.store, undecided) }),
    };
    const failed = changesWork(told, policy) ? { ...told, ...(await this.readWork(undecided, step)) } : told;
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

  /** What the attempt was given. */
  private async readWork(undecided: Undecided, { queue, fallback }: PlannedStep): Promise<Pick<FailedAttempt, 'work' | 'queues'>> {
    const { input, params, ...started } = await this.readStart(undecided, undecided);
    return { work: { input, params, queue: started.queue }, queues: [queue ?? started.queue, ...fallback.map((one) => one.queue)] };
  }

  /** Mostly a few events above the failure; of an attempt that a branch took over, on the one from which it was opened. */
  private async readStart(
    { runId, attemptId }: Pick<Undecided, 'runId' | 'attemptId'>,
    from: { readonly branch: string; readonly revision: Revision },
  ): Promise<StepStarted['data']> {
    const stream = runStream(runId, from.branch);
    for (let to = from.revision, page = START_PAGE; to >= 0; to -= page, page *= 2) {
      const events = await this.parts.store.read(stream, Math.max(0, to - page + 1), to);
      const started = events.find(({ type, data }) => type === 'StepStarted' && data['attemptId'] === attemptId);
      if (started !== undefined) return started.data as unknown as StepStarted['data'];
      const [first] = events;
      const parent = first?.type === 'BranchOpened' ? (first.data['parent'] as unknown as typeof from) : undefined;
      if (parent !== undefined) return this.readStart({ runId, attemptId }, parent);
    }
    throw new InvariantBroken(`run ${runId}: attempt ${attemptId} has no beginning`);
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

const declaredOf = ({ queue = '', fallback }: PlannedStep, { reduced }: Plan): DeclaredWays => ({
  queue,
  fallback: fallback.map((one) => ({ queue: one.queue, params: one.params !== undefined })),
  reduced,
});

/** A person who gives a step the queue of an alternative takes that one, and with it those before. */
function takenOf({ fallback }: PlannedStep, { taken, givenQueue }: Undecided): TakenWays {
  const given = fallback.findIndex(({ queue }) => queue === givenQueue);
  return { ...taken, fallback: Math.max(taken.fallback, given + 1) };
}

const pinOf = ({ name, version, hash, revision }: PolicyState): ApplyRetryDecision['data']['policy'] => ({ name, version, hash, revision });
