import { applyEdits } from '@cairn/domain-definition';
import { accepted, epochMsOf, nothing, rejected, type Decision } from '@cairn/kernel';
import type {
  ClaimReview,
  CloseReview,
  CommentReview,
  DecideReview,
  EscalateReview,
  PassTime,
  ReassignReview,
  ReleaseReview,
} from './commands.js';
import type { ReviewDecided, ReviewEscalated, ReviewOpened, ReviewStreamEvent, VoteCast } from './events.js';
import { isOpen, statusOf, votesWith, type ReviewState } from './evolve.js';
import { refusalOf, refusalToManage, type ReviewRejection } from './who.js';

type Outcome = Decision<ReviewStreamEvent, ReviewRejection>;

/** Events of one review at most: its stream is folded whole. A decision is taken all the same. */
export const REVIEW_EVENTS_MAX = 500;

/** Opens the review that a run asked for, once. */
export function openReview(state: ReviewState | undefined, data: ReviewOpened['data']): Outcome {
  if (state !== undefined) return nothing('duplicate');
  return accepted([{ type: 'ReviewOpened', version: 1, data }]);
}

/** Takes a review in hand, alone. Of two who claim at once one wins, and the other is told who. */
export function claimReview(state: ReviewState | undefined, { by, force }: ClaimReview): Outcome {
  if (state === undefined) return notFound();
  const no = refusalIfClosed(state) ?? refusalOf(state, by) ?? refusalIfFull(state);
  if (no !== undefined) return rejected(no);
  if (state.claimedBy === by.id) return nothing('duplicate');
  if (state.claimedBy !== null && force !== true) return rejected(claimedAlready(state));
  const { reviewId } = state.opened;
  const taken = state.claimedBy === null ? {} : { takenFrom: state.claimedBy };
  return accepted([{ type: 'ReviewClaimed', version: 1, data: { reviewId, by: by.id, ...taken } }]);
}

/** Gives it back; somebody else's with force. */
export function releaseReview(state: ReviewState | undefined, { by, force }: ReleaseReview): Outcome {
  if (state === undefined) return notFound();
  const no = refusalIfClosed(state) ?? refusalToManage(state, by) ?? refusalIfFull(state);
  if (no !== undefined) return rejected(no);
  if (state.claimedBy === null) return nothing('unchanged');
  if (state.claimedBy !== by.id && force !== true) return rejected(claimedAlready(state));
  return accepted([{ type: 'ReviewReleased', version: 1, data: { reviewId: state.opened.reviewId, by: by.id } }]);
}

/** Hands it to a person or a group, who may then decide beside the candidates. */
export function reassignReview(state: ReviewState | undefined, { by, to, reason }: ReassignReview): Outcome {
  if (state === undefined) return notFound();
  const no = refusalIfClosed(state) ?? refusalToManage(state, by) ?? refusalIfFull(state);
  if (no !== undefined) return rejected(no);
  const excluded = state.opened.excluded.find(({ who }) => who === to);
  if (excluded !== undefined) return rejected({ code: 'four_eyes', detail: `${to} may not decide: four eyes, as ${excluded.because}` });
  const data = { reviewId: state.opened.reviewId, by: by.id, to, ...(reason === undefined ? {} : { reason }) };
  return accepted([{ type: 'ReviewReassigned', version: 1, data }]);
}

/** Said for others to read; also after the decision. */
export function commentReview(state: ReviewState | undefined, { by, text }: CommentReview): Outcome {
  if (state === undefined) return notFound();
  if (!by.id.startsWith('user:') || !by.roles.some((role) => role !== 'viewer' && role !== 'handler'))
    return rejected({ code: 'role_missing', detail: `${by.id} may read reviews, and no more` });
  const no = refusalIfFull(state);
  if (no !== undefined) return rejected(no);
  return accepted([{ type: 'ReviewCommented', version: 1, data: { reviewId: state.opened.reviewId, by: by.id, text } }]);
}

/**
 * One person's decision. Where several must agree it is a vote, and the one that completes the quorum decides in the same append. It says
 * which revision and which subject it is about: whoever looked at something older is told what came in between.
 */
export function decideReview(state: ReviewState | undefined, asked: DecideReview): Outcome {
  if (state === undefined) return notFound();
  const command = withVerdict(state, asked);
  const { by, verdict, subjectDigest, reason, edits, guidance } = command;
  const { opened } = state;
  const no = refusalOf(state, by) ?? refusalIfClosed(state) ?? refusalIfStale(state, command) ?? refusalOfVerdict(state, command);
  if (no !== undefined) return rejected(no);
  if (verdict === undefined) return rejected(unknownVerdict(state, asked.option ?? null));
  const several = opened.quorum.of > 1;
  if (!several && state.claimedBy !== null && state.claimedBy !== by.id) return rejected(claimedAlready(state));
  const { reviewId } = opened;
  const option = command.option ?? opened.options.find((one) => one.verdict === verdict)?.id ?? verdict;
  const edited = edits === undefined ? {} : { edits };
  const guided = guidance === undefined ? {} : { guidance };
  const named = verdict === 'abstain' ? {} : { option };
  const vote: VoteCast['data'] = { reviewId, by: by.id, verdict, ...named, subjectDigest, ...edited, ...guided, reason };
  const cast: VoteCast = { type: 'VoteCast', version: 1, data: vote };
  if (verdict === 'abstain') return state.happenings.length >= REVIEW_EVENTS_MAX ? rejected(full()) : accepted([cast]);

  const agreed = several ? [...votesWith(state.votes, vote), vote] : [vote];
  const people = agreed.map((one) => one.by);
  if (people.length < opened.quorum.of) return state.happenings.length >= REVIEW_EVENTS_MAX ? rejected(full()) : accepted([cast]);
  // What any of them wants to be different is handed on: nobody's word is lost because somebody else spoke last.
  const wanted = [...new Set(agreed.flatMap((one) => one.guidance ?? []))].join('\n');
  const decided: ReviewDecided['data'] = {
    reviewId,
    verdict,
    option,
    subjectDigest,
    by: people,
    reason,
    ...edited,
    ...(wanted === '' ? {} : { guidance: wanted }),
  };
  const event: ReviewDecided = { type: 'ReviewDecided', version: 1, data: decided };
  return accepted(several ? [cast, event] : [event]);
}

/** A person passes it up: to the next of its chain, or to whom he names. */
export function escalateReview(state: ReviewState | undefined, { by, to, reason }: EscalateReview): Outcome {
  if (state === undefined) return notFound();
  const no = refusalIfClosed(state) ?? refusalToManage(state, by) ?? refusalIfFull(state);
  if (no !== undefined) return rejected(no);
  return accepted([escalated(state, 'person', to ?? state.opened.escalate[state.level]?.to ?? null, reason)]);
}

/** What a due time brings, by the clock of human-review: the chain's next level, or what follows the deadline, which never approves. */
export function passTime(state: ReviewState | undefined, { now }: PassTime): Outcome {
  if (state === undefined) return nothing('no_match');
  if (!isOpen(state)) return nothing('late');
  const { opened, level, overdue } = state;
  const next = opened.escalate[level];
  if (!overdue && epochMsOf(opened.deadline) <= now) {
    if (opened.onDeadline === 'escalate') return accepted([escalated(state, 'deadline', next?.to ?? null)]);
    return accepted([{ type: 'ReviewExpired', version: 1, data: { reviewId: opened.reviewId, then: opened.onDeadline } }]);
  }
  if (next !== undefined && epochMsOf(next.at) <= now) return accepted([escalated(state, 'chain', next.to)]);
  return nothing('early');
}

/** The run does not ask any more. A decision that it did not take is marked as such. */
export function closeReview(state: ReviewState | undefined, { because, says }: CloseReview): Outcome {
  if (state === undefined) return nothing('no_match');
  if (state.closed !== null) return nothing('duplicate');
  const lost = state.decision?.revision ?? state.expired?.revision;
  const data = { reviewId: state.opened.reviewId, because, says, ...(lost === undefined ? {} : { notApplied: lost }) };
  return accepted([{ type: 'ReviewClosed', version: 1, data }]);
}

function escalated(
  { opened, level }: ReviewState,
  because: 'chain' | 'deadline' | 'person',
  to: string | null,
  reason?: string,
): ReviewEscalated {
  const { reviewId, step } = opened;
  const data = { reviewId, step, level: level + 1, to, because, ...(reason === undefined ? {} : { reason }) };
  return { type: 'ReviewEscalated', version: 1, data };
}

function refusalIfClosed(state: ReviewState): ReviewRejection | undefined {
  if (isOpen(state)) return undefined;
  const ending = state.happenings.find(({ event }) => event === 'ReviewDecided' || event === 'ReviewExpired' || event === 'ReviewClosed');
  return {
    code: 'review_closed',
    detail: `the review is ${statusOf(state)}; nothing can be decided any more`,
    expected: 'open',
    got: ending ?? null,
  };
}

/** Whoever decides saw something older: the events that came in between are named (B-33). */
function refusalIfStale(state: ReviewState, { subjectDigest, revision }: DecideReview): ReviewRejection | undefined {
  if (subjectDigest !== state.opened.subjectDigest) {
    const { subjectDigest: expected } = state.opened;
    return { code: 'digest_mismatch', detail: 'the decision is about another subject than the review', expected, got: subjectDigest };
  }
  if (revision === state.revision) return undefined;
  const won = state.happenings.filter((one) => one.revision > revision);
  const detail =
    won.length === 0
      ? `the review has no revision ${revision} yet`
      : `the review has moved since revision ${revision}: ${won.map(({ event, by }) => `${event} by ${by}`).join(', ')}`;
  return { code: 'digest_mismatch', detail, expected: state.revision, got: won[0] ?? revision };
}

function refusalOfVerdict(state: ReviewState, decision: DecideReview): ReviewRejection | undefined {
  const { opened } = state;
  const { verdict, option, edits } = decision;
  if (verdict === 'abstain')
    return opened.quorum.of > 1 ? undefined : { code: 'quorum_needed', detail: 'who decides alone cannot abstain' };
  const fitting = opened.options.filter((one) => one.verdict === verdict && (option === undefined || one.id === option));
  if (fitting.length > 1)
    return {
      code: 'verdict_unknown',
      detail: `${verdict} may mean ${fitting.map(({ id }) => id).join(' or ')}: name the option`,
      errors: [{ pointer: '/option', rule: 'required', says: `one of ${fitting.map(({ id }) => id).join(', ')}` }],
    };
  const [offered] = fitting;
  if (offered === undefined) return unknownVerdict(state, option ?? verdict ?? null);
  if (opened.attemptId !== undefined && offered.then === 'branch') return refusalOfChange(opened, decision);
  if (verdict !== 'edit') {
    if (edits === undefined) return undefined;
    return {
      code: 'edits_invalid',
      detail: `${verdict} takes no edits`,
      errors: [{ pointer: '/edits', rule: 'not_allowed', says: 'edits belong to the verdict edit' }],
    };
  }
  const edited = applyEdits(opened.subjects[0]?.input ?? null, opened.editable, edits ?? []);
  if (edited.ok) return undefined;
  const errors = edited.errors.map((error) => ({ ...error, pointer: `/edits${error.pointer}` }));
  return { code: 'edits_invalid', detail: 'the edits do not fit what may be edited', errors };
}

/** An option has its verdict: who names the one need not name the other. */
function withVerdict({ opened }: ReviewState, asked: DecideReview): DecideReview {
  const verdict = asked.verdict ?? opened.options.find(({ id }) => id === asked.option)?.verdict;
  return { ...asked, ...(verdict === undefined ? {} : { verdict }) };
}

const unknownVerdict = ({ opened }: ReviewState, got: string | null): ReviewRejection => ({
  code: 'verdict_unknown',
  detail: `the review offers ${opened.options.map(({ id }) => id).join(', ')}`,
  got,
});

/** Again, changed: something is changed, and it is the input or the params of the attempt that failed. */
function refusalOfChange({ subjects, editable }: ReviewOpened['data'], { edits, guidance }: DecideReview): ReviewRejection | undefined {
  if (edits === undefined) {
    if (guidance !== undefined) return undefined;
    const says = 'say what is to be different: guidance, edits or both';
    return { code: 'edits_invalid', detail: says, errors: [{ pointer: '/guidance', rule: 'required', says }] };
  }
  const [subject] = subjects;
  const edited = applyEdits({ input: subject?.input ?? null, params: subject?.params ?? {} }, editable, edits);
  if (edited.ok) return undefined;
  const errors = edited.errors.map((error) => ({ ...error, pointer: `/edits${error.pointer}` }));
  return { code: 'edits_invalid', detail: 'the edits do not fit what may be edited', errors };
}

const claimedAlready = (state: ReviewState): ReviewRejection => ({
  code: 'review_claimed',
  detail: `${state.claimedBy ?? 'somebody'} has it`,
  expected: state.claimedBy,
  got: state.happenings.findLast(({ event }) => event === 'ReviewClaimed') ?? null,
});

const full = (): ReviewRejection => ({ code: 'review_full', detail: `a review has at most ${REVIEW_EVENTS_MAX} events; decide it` });
const refusalIfFull = (state: ReviewState): ReviewRejection | undefined =>
  state.happenings.length >= REVIEW_EVENTS_MAX ? full() : undefined;
const notFound = (): Outcome => rejected({ code: 'review_not_found', detail: 'there is no such review' });
