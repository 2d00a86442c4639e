import { subjects, type CloudEvent, type TaskData } from '@cairn/contracts';
import { callbackReference, withCallbackTokens, type Plan, type PlannedStep } from '@cairn/domain-definition';
import { asChanged, outputView, parseOccurrence, type EffectPart, type OpenAttempt, type RunState, type StepWork } from '@cairn/domain-run';
import { partitionOf, type Id, type Json } from '@cairn/kernel';
import type { CallbackTokens } from '@cairn/ports';

/** An open attempt as it is offered to handlers. */
export interface Task {
  readonly attemptId: Id;
  readonly runId: Id;
  readonly ns: string;
  readonly queue: string;
  readonly leaseMs: number;
  readonly timeoutMs: number;
  /** Where its `StepStarted` stands, whose event id is the cause of its lapse. */
  /** Of a shadow's attempt alone: its branch, which takes the reply. */
  readonly shadow?: string;
  readonly startedBranch: string;
  readonly startedRevision: number;
  /** It must be claimed before anything is done: it leaves only with a grant on record. */
  readonly claim: boolean;
  /** Of the claim on record, whoever it was granted to. */
  readonly nonce: string | undefined;
  readonly event: CloudEvent<TaskData>;
}

/** Attempts of a step that policy `default` allows at most before a person must look (`history.md` §3, limits). Informs handlers. */
const ATTEMPTS_MAX = 8;

/** The task of an attempt that is open in this state, or `undefined` if it is not (any more). */
export function taskOf(state: RunState, plan: Plan, attemptId: Id, tokens?: CallbackTokens): Task | undefined {
  const attempt = state.path.attempts.get(attemptId);
  const work = attempt === undefined ? undefined : state.path.steps.get(attempt.step)?.work;
  const planned = attempt === undefined ? undefined : plan.step(parseOccurrence(attempt.step).step);
  const step = planned && asChanged(state, planned);
  if (attempt === undefined || work === undefined || step === undefined || state.started === null) return undefined;
  const { ns, workflow } = state.started;
  const { part } = parseOccurrence(attempt.step);
  if (part === 'ask') return undefined; // People are asked, and no handler.
  const effect = part === undefined ? effectOf(state, attemptId, work) : effectOfPart(state, part, work);
  if (step.kind === 'effect' && effect === undefined) return undefined; // No intent on record: nothing may leave.
  const claim = part === undefined && (effect?.guarantee === 'none' || effect?.guarantee === 'reconcile');
  const previous = attempt.n === 1 ? undefined : previousFailure(state, attempt.step, attempt.n);
  const data: TaskData = {
    kind: part ?? (effect !== undefined ? 'effect' : step.choices === undefined ? 'task' : 'decide'),
    workflow,
    queue: work.queue,
    step: attempt.step,
    attempt: attempt.n,
    attemptsMax: ATTEMPTS_MAX,
    ...withTokens(work, step, tokens, { ns, run: state.runId, attempt }),
    ...(work.purpose === undefined ? {} : { purpose: work.purpose }),
    ...(work.guidance === undefined ? {} : { guidance: work.guidance }),
    // Who finds out about an effect, or undoes it, does the same on any path.
    ...(state.lesson === null || part !== undefined ? {} : { lesson: state.lesson }),
    ...(step.choices === undefined ? {} : { choices: step.choices }),
    ...(effect === undefined ? {} : { effect }),
    ...(claim ? { claim } : {}),
    lease: { attemptId, branch: state.branch, epoch: state.ledger.epoch },
    leaseMs: step.leaseMs,
    timeoutMs: step.timeoutMs,
    replyTo: subjects.reply(ns, partitionOf(state.runId)),
    ...(previous === undefined ? {} : { previous }),
  };
  const event: CloudEvent<TaskData> = {
    specversion: '1.0',
    id: attemptId,
    type: 'cairn.task.v1',
    source: '/cairn/execution',
    subject: attempt.step,
    time: attempt.startedAt,
    datacontenttype: 'application/json',
    cairnns: ns,
    cairnrun: state.runId,
    cairnbranch: state.branch,
    cairnepoch: state.ledger.epoch,
    data,
  };
  return {
    attemptId,
    runId: state.runId,
    ns,
    queue: work.queue,
    leaseMs: step.leaseMs,
    timeoutMs: step.timeoutMs,
    ...(state.shadow === null ? {} : { shadow: state.branch }),
    startedBranch: attempt.startedBranch,
    startedRevision: attempt.startedRevision,
    claim,
    nonce: attempt.nonce,
    event,
  };
}

/**
 * What the handler is given of the work: where it names callbacks, it gets their tokens. Here alone: the history, what people see of it and
 * what leaves in bundles has the references (`capabilities.md` §5.2).
 */
function withTokens(
  { input, params }: StepWork,
  { callbackUses }: PlannedStep,
  tokens: CallbackTokens | undefined,
  { ns, run, attempt }: { readonly ns: string; readonly run: Id; readonly attempt: OpenAttempt },
): { readonly input: Json; readonly params: Json } {
  const given = { input, params };
  if (tokens === undefined) return given;
  const { startedBranch: branch, startedRevision: revision } = attempt;
  for (const { part, pointer, callbacks } of callbackUses) {
    const issued = callbacks.map(
      ({ wait, name }) => [callbackReference(wait, name), tokens.issue({ ns, run, wait, name, branch, revision })] as const,
    );
    given[part] = withCallbackTokens(given[part], pointer, new Map(issued));
  }
  return given;
}

/** What an effect's handler is told of its intent. `undefined`: the attempt has none that is open. */
function effectOf(state: RunState, attemptId: Id, { effect }: StepWork): TaskData['effect'] {
  const entry = effect === undefined ? undefined : state.ledger.effects.get(effect.key);
  if (effect === undefined || entry?.attemptId !== attemptId || entry.status !== 'intended') return undefined;
  const { key, suffix } = effect;
  return { key: sentKey(key, suffix), fingerprint: entry.fingerprint, guarantee: entry.guarantee };
}

/** What it is to find out about, or to undo. */
function effectOfPart(state: RunState, part: EffectPart, { effect }: StepWork): TaskData['effect'] {
  const entry = effect === undefined ? undefined : state.ledger.effects.get(effect.key);
  if (effect === undefined || entry === undefined) return undefined;
  const { key, suffix } = effect;
  const { fingerprint, guarantee, output, n } = entry;
  const about = part === 'reconcile' ? { attempt: n } : output === null ? {} : { receipt: outputView(output) };
  return { key: sentKey(key, suffix), fingerprint, guarantee, ...about };
}

/** The key as the target is sent it. */
const sentKey = (key: string, suffix: number): string => (suffix === 0 ? key : `${key}#${suffix}`);

function previousFailure(state: RunState, step: string, n: number): { bucket: string; message: string } | undefined {
  for (const retry of state.path.retries.values()) {
    if (retry.step === step && retry.n === n - 1) return { bucket: retry.bucket ?? 'unclassified', message: retry.message };
  }
  return undefined;
}
