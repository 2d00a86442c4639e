import { compileDefinition, planOf, type Plan } from '@cairn/domain-definition';
import {
  epochMsOf,
  idOf,
  instantOf,
  runStream,
  sealAppend,
  type EpochMs,
  type Json,
  type JsonObject,
  type StoredEvent,
} from '@cairn/kernel';
import { Lineage } from '../branches/lineage.js';
import { announcementOf, derivedOpening } from '../branches/opening.js';
import { beginningOf } from '../branches/begin.js';
import { forkAt, type ForkRequest } from '../branches/fork.js';
import type { KnownFork } from '../reviews/commands.js';
import { forkWanted } from '../reviews/outcomes.js';
import type { RunCommand } from '../commands.js';
import type { RetryVerdict } from '../recovery/events.js';
import { decideRun } from '../decider.js';
import type { RecordedRunEvent, RunEvent } from '../events.js';
import { foldRun } from '../evolve.js';
import { initialState, type RunState } from '../state.js';
import { stateDigest } from '../state-digest.js';

export const RUN = idOf('run', 'default', 'spec', 'k');
export const START = epochMsOf('2026-11-23T09:00:00.000Z');

/** Steps as a document has them; the rest of the definition does not matter here. */
export function planWith(steps: readonly unknown[], more: object = {}): Plan {
  const compiled = compileDefinition({ cairn: 1, name: 'spec', version: '1.0.0', steps, ...more });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  return planOf(compiled.definition);
}

/** A run that is led by commands and remembers its events, sealed as they would be stored. */
export class GivenRun {
  state: RunState = initialState(RUN);
  /** All of it, in the order in which it was appended. */
  readonly history: RecordedRunEvent[] = [];
  readonly branches = new Map<string, RecordedRunEvent[]>();
  /** Outputs that events hold by reference, as a driver has loaded them. */
  readonly loaded = new Map<string, Json>();
  /** As they stand now, by name. */
  readonly shadows = new Map<string, { readonly state: RunState; readonly lastHash: string }>();
  private lastHash = '';
  private commands = 0;

  /** Who does what follows. */
  actor = 'service:spec';

  constructor(
    readonly plan: Plan,
    public now: EpochMs = START,
  ) {}

  /** Decides, and appends what was accepted. Answers the names of the events, or why there are none. */
  when(command: RunCommand, cause?: string): string[] | string {
    const { decision, after } = this.decide(command, cause);
    if (decision.kind === 'nothing') return `nothing: ${decision.because}`;
    if (decision.kind === 'rejected') return `rejected: ${decision.rejection.code}`;
    const { branch } = this.state;
    const stream = runStream(RUN, branch);
    const sealed = sealAppend(
      {
        stream,
        expected: this.state.revision < 0 ? 'no_stream' : this.state.revision,
        prevHash: this.lastHash,
        ns: 'default',
        runId: RUN,
        branch,
        at: instantOf(this.now),
        actor: this.actor,
        causationId: cause ?? this.causeOf(command),
      },
      decision.events,
    );
    const recorded = sealed as unknown as RecordedRunEvent[];
    this.lastHash = sealed.at(-1)?.metadata.hash ?? this.lastHash;
    const folded = foldRun(this.state, recorded);
    if (stateDigest(folded) !== stateDigest(after) || folded.revision !== after.revision)
      throw new Error('the decided state is not what the history gives');
    this.state = folded;
    this.remember(branch, recorded);
    return decision.events.map(named);
  }

  /** Opens the branch that was announced, as whoever follows the announcement does. Answers the names of the events. */
  openSuccessor(): string[] {
    const predecessor = this.state;
    const event = this.history.at(-1) as unknown as StoredEvent;
    const { successor, spec } = predecessor.superseded!;
    const parent = this.lineage().at(spec.parent.branch, spec.parent.revision);
    const parentEvent = this.branches.get(spec.parent.branch)?.[spec.parent.revision] as unknown as StoredEvent;
    const beginning = beginningOf(successor, parent, predecessor);
    const events = derivedOpening({ predecessor, beginning, event, parentHash: parentEvent.metadata.hash });
    const recorded = events as unknown as RecordedRunEvent[];
    this.state = foldRun(beginning, recorded);
    this.lastHash = events.at(-1)!.metadata.hash;
    this.remember(successor, recorded);
    return recorded.map(named);
  }

  /** Opens the shadow that was announced last, beside the head. Answers its name. */
  openShadow(): string {
    const event = this.history.at(-1) as unknown as StoredEvent;
    const { branch, spec } = announcementOf(event);
    const parent = this.lineage().at(spec.parent.branch, spec.parent.revision);
    const parentEvent = this.branches.get(spec.parent.branch)?.[spec.parent.revision] as unknown as StoredEvent;
    const beginning = beginningOf(branch, parent, this.state);
    const events = derivedOpening({ predecessor: this.state, beginning, event, parentHash: parentEvent.metadata.hash });
    const recorded = events as unknown as RecordedRunEvent[];
    this.shadows.set(branch, { state: foldRun(beginning, recorded), lastHash: events.at(-1)!.metadata.hash });
    this.remember(branch, recorded);
    return branch;
  }

  /** What is done meanwhile is done to that shadow. */
  inShadow<T>(branch: string, act: () => T): T {
    const head = { state: this.state, lastHash: this.lastHash };
    Object.assign(this, this.shadows.get(branch));
    try {
      return act();
    } finally {
      this.shadows.set(branch, { state: this.state, lastHash: this.lastHash });
      Object.assign(this, head);
    }
  }

  /** The branches as anybody reads them. */
  lineage(): Lineage {
    return new Lineage(RUN, this.branches);
  }

  private remember(branch: string, events: readonly RecordedRunEvent[]): void {
    this.history.push(...events);
    this.branches.set(branch, [...(this.branches.get(branch) ?? []), ...events]);
  }

  decide(command: RunCommand, cause?: string): ReturnType<typeof decideRun> {
    this.commands += 1;
    const context = { now: this.now, entropy: `entropy-${this.commands}`, causationId: cause ?? this.causeOf(command) };
    return decideRun(this.plan, this.state, command, context, this.loaded);
  }

  private causeOf(command: RunCommand): string {
    return command.type === 'RecordReply' ? command.data.replyId : `c${this.commands}`;
  }

  start(input: Json = {}): string[] | string {
    const pin = { name: 'spec', version: '1.0.0', hash: this.plan.hash, revision: 0 };
    const cause = { receiptId: idOf('receipt', 'default', 'spec', 'start'), source: 'spec', id: 'start', type: 'spec.start' };
    return this.when({
      type: 'StartRun',
      data: { ns: 'default', workflow: 'spec', runId: RUN, key: 'k', input, definition: pin, policies: [], cause },
    });
  }

  /** The open attempt of a step. */
  attempt(step: string): string {
    for (const [attemptId, attempt] of this.state.path.attempts.entries()) if (attempt.step === step) return attemptId;
    throw new Error(`no open attempt of ${step}`);
  }

  succeed(step: string, output: Json = {}): string[] | string {
    return this.reply(this.attempt(step), { kind: 'succeeded', output });
  }

  fail(step: string): string[] | string {
    return this.reply(this.attempt(step), { kind: 'failed', failure: { by: 'handler', message: 'no', sideEffect: 'none' } });
  }

  reply(
    attemptId: string,
    result: Extract<RunCommand, { type: 'RecordReply' }>['data']['result'],
    replyId = `${attemptId}:end`,
  ): string[] | string {
    return this.when({ type: 'RecordReply', data: { attemptId, replyId, result } });
  }

  /** What a policy decides that opens a branch. */
  decideBranch(step: string, decision: 'fallback' | 'retry_modified' | 'reduce_scope', change: JsonObject): string[] | string {
    for (const [attemptId, retry] of this.state.path.retries.entries())
      if (retry.step === step && retry.decision === null) return this.decideRetry(attemptId, decision, undefined, change);
    throw new Error(`no failure of ${step} is undecided`);
  }

  /** The failed attempt of a step that nothing was decided about. */
  failure(step: string): string {
    for (const [attemptId, retry] of this.state.path.retries.entries())
      if (retry.step === step && retry.decision === null) return attemptId;
    throw new Error(`no failure of ${step} is undecided`);
  }

  decideRetry(attemptId: string, decision: RetryVerdict, notBefore?: string, change?: JsonObject): string[] | string {
    const step = this.state.path.retries.get(attemptId)?.step ?? '';
    return this.when({
      type: 'ApplyRetryDecision',
      data: {
        step,
        attemptId,
        bucket: 'handler_lost',
        decision,
        justification: { rule: 'default@1#handler_lost', newEvidence: [], expectedChange: 'another_handler' },
        policy: { name: 'default', version: 1, hash: 'sha256:0', revision: 0 },
        ...(notBefore === undefined ? {} : { notBefore }),
        ...(change === undefined ? {} : { change }),
      },
    });
  }

  /** The newest review of a step. */
  reviewId(step: string): string {
    const [newest] = [...this.state.path.reviews.entries()].filter(([, { step: of }]) => of === step).sort(([, a], [, b]) => b.n - a.n);
    return newest?.[0] ?? '0'.repeat(26);
  }

  /** What people decided about a step's newest review, as its stream would tell it. */
  verdict(step: string, verdict: string, more: { readonly [field: string]: Json } = {}, reviewId = this.reviewId(step)): string[] | string {
    const subjectDigest = this.state.path.reviews.get(reviewId)?.subjectDigest ?? '';
    const data = { reviewId, verdict, option: verdict, subjectDigest, by: ['user:ana'], reason: 'so', ...more };
    return this.recorded('ApplyVerdict', reviewId, 'ReviewDecided', data);
  }

  expireReview(step: string, then: string): string[] | string {
    const reviewId = this.reviewId(step);
    return this.recorded('ApplyVerdict', reviewId, 'ReviewExpired', { reviewId, then });
  }

  escalate(step: string, level: number, to: string | null = 'group:cfo'): string[] | string {
    const reviewId = this.reviewId(step);
    return this.recorded('ApplyEscalation', reviewId, 'ReviewEscalated', { reviewId, step, level, to, because: 'chain' });
  }

  private recorded(
    type: 'ApplyVerdict' | 'ApplyEscalation',
    reviewId: string,
    event: string,
    data: { readonly [field: string]: Json },
  ): string[] | string {
    const recorded = { type: event, runId: RUN, data };
    const wanted = type === 'ApplyVerdict' ? forkWanted(this.plan, this.state, reviewId, recorded) : undefined;
    return this.when({ type, data: { reviewId, revision: 1, recorded, ...(wanted === undefined ? {} : { fork: this.known(wanted) }) } });
  }

  /** A point of the run with the state there, as a driver reads it. */
  private known(wanted: ForkRequest): KnownFork {
    const fork = forkAt(this.branches, wanted);
    return 'point' in fork ? { ...fork, state: this.lineage().at(fork.point.branch, fork.point.revision) } : fork;
  }

  waitId(step: string): string {
    return idOf('wait', RUN, step);
  }

  /** An event from outside for a step's wait. */
  event(step: string, type: string, more: { readonly id?: string; readonly key?: string; readonly data?: Json } = {}): string[] | string {
    const id = more.id ?? 'e1';
    return this.when({
      type: 'WakeRun',
      data: {
        kind: 'event',
        waitId: this.waitId(step),
        trigger: 0,
        event: {
          receiptId: idOf('receipt', 'default', 'out', id),
          source: 'out',
          id,
          type,
          at: instantOf(this.now),
          kept: false,
          ...(more.key === undefined ? {} : { key: more.key }),
          data: more.data ?? {},
        },
      },
    });
  }
}

/** `StepStarted(b)`, `WaitOpened(w)`, `RunCompleted`. */
function named(event: RunEvent): string {
  return 'step' in event.data && event.data.step !== undefined ? `${event.type}(${event.data.step})` : event.type;
}
