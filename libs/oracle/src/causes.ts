import { isId, type StoredEvent } from '@cairn/kernel';
import type { RecordedRunEvent } from '@cairn/domain-run';
import { appendOf, type Branch } from './branch.js';
import type { RunHistory } from './history.js';
import type { Inbox } from './inbox.js';
import type { Walk } from './walk.js';

const END = ':end';
const CLAIM = ':claim';

/**
 * I-5: every append says what caused it, in a form of `history.md` §1, and that thing exists before it. What a form means is
 * asked of the append's first event; one value holds for all of them.
 */
export function checkCauses(walk: Walk, inbox: Inbox | undefined, reviews: RunHistory['reviews']): void {
  const { report } = walk;
  const byId = new Map<string, RecordedRunEvent>();
  const startedBy = new Map<string, string>();
  for (const event of walk.events()) {
    const branch = walk.at;
    const stored = branch.stored[event.revision]!;
    const { appendFirst } = stored.metadata;
    if (event.causationId !== branch.stored[appendFirst]?.causationId) {
      report('I-5', event.revision, 'the events of one append name different causes');
    } else if (event.revision === appendFirst) {
      const wrong = wrongCause(event, stored, {
        byId,
        startedBy,
        inbox,
        reviews,
        cancels: cancels(branch, appendFirst),
        opens: opens(branch, appendFirst),
      });
      if (wrong !== undefined) report('I-5', event.revision, `${event.type} is caused by ${event.causationId}: ${wrong}`);
    }
    byId.set(stored.eventId, event);
    if (event.type === 'StepStarted') startedBy.set(event.data.attemptId, stored.eventId);
  }
}

interface Known {
  /** Events before this append, by id. */
  readonly byId: ReadonlyMap<string, RecordedRunEvent>;
  /** Attempt id -> event id of its `StepStarted`. */
  readonly startedBy: ReadonlyMap<string, string>;
  readonly inbox: Inbox | undefined;
  readonly reviews: RunHistory['reviews'];
  /** The append is a cancellation, which first closes what is open and then says so. */
  readonly cancels: boolean;
  /** The append is a person's, who opens a branch: it first withdraws what is not carried. */
  readonly opens: boolean;
}

/** What a policy or a review opens begins with its decision. */
const opens = (branch: Branch, first: number): boolean => {
  const append = appendOf(branch, first);
  const last = append.at(-1)?.type;
  return (
    last === 'ShadowOpened' || (last === 'BranchSuperseded' && append[0]?.type !== 'RetryDecided' && append[0]?.type !== 'VerdictApplied')
  );
};

const cancels = (branch: Branch, first: number): boolean => appendOf(branch, first).at(-1)?.type === 'RunCancelled';

/** What is wrong with the cause of an append that begins with this event. */
function wrongCause(event: RecordedRunEvent, { causationId }: StoredEvent, known: Known): string | undefined {
  if (event.type === 'AttemptTaken') {
    const wanted = `${event.data.attemptId}${CLAIM}`;
    return causationId === wanted ? undefined : `its claim is ${wanted}`;
  }
  const reply = replyOf(event);
  if (reply !== undefined) return wrongReply(reply, causationId, known);
  if (causationId.endsWith(END)) return 'a reply cannot do that';
  if (causationId.endsWith(CLAIM)) return 'a claim cannot do that';
  if (!isId(causationId)) return 'neither an id nor a reply';
  const cause = known.byId.get(causationId);
  if (known.cancels || known.opens) return receiptOf(causationId, undefined, known);
  if (cause?.type === 'BranchSuperseded' || cause?.type === 'ShadowOpened') return undefined; // A branch opens, or begins.
  if (event.type === 'BranchAbandoned') return undefined; // A person's command, of which there is no receipt.
  switch (event.type) {
    case 'RunPaused':
    case 'RunUnpaused':
    case 'WaitWithdrawn': // Rescheduled; else it begins no append.
      return receiptOf(causationId, undefined, known);
    case 'RunStarted':
      return causationId === event.data.cause.receiptId ? undefined : `its receipt is ${event.data.cause.receiptId}`;
    case 'WaitTriggered':
      // What a branch carries counts before what wakes its wait: in the append of that.
      return cause?.type === 'WaitOpened' || causationId === event.data.eventId || event.data.kept
        ? receiptOf(causationId, cause, known)
        : 'neither its receipt nor its WaitOpened';
    case 'WaitSatisfied': // A wait that collected until its deadline.
    case 'WaitExpired':
    case 'WaitStale':
      return cause?.type === 'WaitOpened' ? undefined : 'a WaitOpened';
    case 'StepFailed': // A lapse.
      return causationId === known.startedBy.get(event.data.attemptId) ? undefined : 'not its StepStarted';
    case 'RetryDecided':
      return cause?.type === 'StepFailed' ? undefined : 'no StepFailed of this run';
    case 'BranchOpened':
      return 'nothing of this run that announces it';
    case 'VerdictApplied':
    case 'ReviewEscalated':
    case 'ReviewWithdrawn': // What was decided is about something that has changed.
      return reviewOf(event.data.reviewId, causationId, known);
    case 'EffectConfirmed': // A person says so.
    case 'EffectAbsent':
      return receiptOf(causationId, undefined, known);
    case 'StepStarted':
      if (event.data.effect !== undefined && cause === undefined) return receiptOf(causationId, undefined, known);
      return cause?.type === 'RetryDecided' ? undefined : 'no RetryDecided of this run';
    default:
      return 'nothing that begins an append';
  }
}

const reviewOf = (reviewId: string, causationId: string, { reviews }: Known): string | undefined =>
  reviews === undefined || reviews.get(reviewId)?.some(({ eventId }) => eventId === causationId) === true
    ? undefined
    : `no event of review-${reviewId}`;

const receiptOf = (causationId: string, cause: RecordedRunEvent | undefined, { inbox }: Known): string | undefined =>
  cause !== undefined || inbox === undefined || inbox.receipts.has(causationId) ? undefined : 'a receipt that does not exist';

type Replied = Extract<RecordedRunEvent, { type: 'StepSucceeded' | 'StepFailed' | 'LateResultRecorded' }>;

/** The event as what a handler's reply brings, or `undefined`: it settles its attempt, or is late. */
function replyOf(event: RecordedRunEvent): Replied | undefined {
  if (event.type === 'StepSucceeded' || event.type === 'LateResultRecorded') return event;
  if (event.type !== 'StepFailed') return undefined;
  return event.data.failure.by === 'handler' || event.data.failure.by === 'decider' ? event : undefined;
}

/** Ours are `<attemptId>:end`; a handler may choose others, so that two replies of one attempt can be told apart (W-4). */
function wrongReply(event: Replied, causationId: string, { startedBy }: Known): string | undefined {
  if (!startedBy.has(event.data.attemptId)) return 'a reply to an attempt that never started';
  if (event.type === 'LateResultRecorded' && event.data.replyId !== causationId) return `its reply is ${event.data.replyId}`;
  return undefined;
}
