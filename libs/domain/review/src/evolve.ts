import { canon, type Instant, type Json, type StoredEvent } from '@cairn/kernel';
import type { Excluded, ReviewDecided, ReviewOpened, ReviewStreamEvent, VoteCast } from './events.js';

export type ReviewStatus = 'open' | 'claimed' | 'decided' | 'expired' | 'withdrawn' | 'invalidated';

/** What happened at a revision, for whoever lost a race against it. */
export interface Happening {
  readonly revision: number;
  readonly event: string;
  readonly by: string;
  readonly at: Instant;
}

/** A review as folded from its stream. */
export interface ReviewState {
  readonly ns: string;
  readonly opened: ReviewOpened['data'];
  readonly openedAt: Instant;
  readonly revision: number;
  readonly claimedBy: string | null;
  readonly assignee: string | null;
  /** Newest word of each person, in the order in which they first spoke. */
  readonly votes: readonly VoteCast['data'][];
  readonly comments: readonly { readonly by: string; readonly at: Instant; readonly text: string }[];
  readonly level: number;
  /** To whom it was passed up last. */
  readonly passedTo: string | null;
  /** The deadline has had its consequence, and the review is still open. */
  readonly overdue: boolean;
  readonly decision: (ReviewDecided['data'] & { readonly revision: number; readonly at: Instant }) | null;
  readonly expired: { readonly revision: number; readonly then: string } | null;
  readonly closed: { readonly because: 'withdrawn' | 'invalidated'; readonly says: string; readonly notApplied: boolean } | null;
  readonly happenings: readonly Happening[];
}

/** Folds one event of `review-<reviewId>`. `undefined`: there is no such review yet. */
export function evolveReview(state: ReviewState | undefined, stored: StoredEvent): ReviewState | undefined {
  const event = stored as unknown as ReviewStreamEvent & StoredEvent;
  const happening: Happening = { revision: event.revision, event: event.type, by: event.actor, at: event.at };
  if (event.type === 'ReviewOpened') {
    return {
      ns: event.metadata.ns,
      opened: event.data,
      openedAt: event.at,
      revision: event.revision,
      claimedBy: null,
      assignee: null,
      votes: [],
      comments: [],
      level: 0,
      passedTo: null,
      overdue: false,
      decision: null,
      expired: null,
      closed: null,
      happenings: [happening],
    };
  }
  if (state === undefined) return undefined;
  const moved = { ...state, revision: event.revision, happenings: [...state.happenings, happening] };
  switch (event.type) {
    case 'ReviewClaimed':
      return { ...moved, claimedBy: event.data.by };
    case 'ReviewReleased':
      return { ...moved, claimedBy: null };
    case 'ReviewReassigned':
      return { ...moved, claimedBy: null, assignee: event.data.to };
    case 'ReviewCommented':
      return { ...moved, comments: [...state.comments, { by: event.data.by, at: event.at, text: event.data.text }] };
    case 'VoteCast':
      return { ...moved, votes: withVote(state.votes, event.data) };
    case 'ReviewDecided':
      return { ...moved, claimedBy: null, decision: { ...event.data, revision: event.revision, at: event.at } };
    case 'ReviewEscalated':
      return {
        ...moved,
        claimedBy: null,
        level: event.data.level,
        passedTo: event.data.to,
        overdue: state.overdue || event.data.because === 'deadline',
      };
    case 'ReviewExpired':
      return { ...moved, claimedBy: null, expired: { revision: event.revision, then: event.data.then } };
    case 'ReviewClosed': {
      const { because, says, notApplied } = event.data;
      return { ...moved, claimedBy: null, closed: { because, says, notApplied: notApplied !== undefined } };
    }
  }
}

/** The newest word of each person counts. */
function withVote(votes: readonly VoteCast['data'][], vote: VoteCast['data']): readonly VoteCast['data'][] {
  return votes.some(({ by }) => by === vote.by) ? votes.map((one) => (one.by === vote.by ? vote : one)) : [...votes, vote];
}

export function statusOf(state: ReviewState): ReviewStatus {
  if (state.closed !== null) return state.closed.because;
  if (state.decision !== null) return 'decided';
  if (state.expired !== null) return 'expired';
  return state.claimedBy === null ? 'open' : 'claimed';
}

export const isOpen = (state: ReviewState): boolean => state.closed === null && state.decision === null && state.expired === null;

/** The newest words of everybody else that are the same as this one: verdict, option, subject and edits. Guidance is said, not voted on. */
export function votesWith(votes: readonly VoteCast['data'][], vote: VoteCast['data']): readonly VoteCast['data'][] {
  const meaning = ({ verdict, option, subjectDigest, edits }: VoteCast['data']): string =>
    canon({ verdict, option: option ?? verdict, subjectDigest, edits: (edits ?? []) as unknown as Json });
  return votes.filter((one) => one.by !== vote.by && meaning(one) === meaning(vote));
}

/** A review as it is decided when more people than were known at its opening may not decide it: what they have said does not count either. */
export function withExcluded(state: ReviewState | undefined, more: readonly Excluded[]): ReviewState | undefined {
  if (state === undefined || more.length === 0) return state;
  const excluded = [...state.opened.excluded, ...more];
  const votes = state.votes.filter(({ by }) => !excluded.some(({ who }) => who === by));
  return { ...state, opened: { ...state.opened, excluded }, votes };
}

/** The next level that is due at a time by itself, or the deadline; `undefined` while nothing is. */
export function dueAt(state: ReviewState): Instant | undefined {
  if (!isOpen(state)) return undefined;
  const next = state.opened.escalate[state.level]?.at;
  const deadline = state.overdue ? undefined : state.opened.deadline;
  return next === undefined || (deadline !== undefined && deadline < next) ? deadline : next;
}
