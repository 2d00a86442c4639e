import {
  checkBody,
  namespaceOf,
  reviewBodies,
  reviewVerbs,
  type RejectionBody,
  type ReviewAnswer,
  type ReviewBody,
  type ReviewCommandMessage,
  type ReviewVerb,
  type ReviewView,
} from '@cairn/contracts';
import { reviewView, withExcluded, type ReviewRejection, type ReviewState, type ReviewStreamEvent } from '@cairn/domain-review';
import { claimReview, commentReview, decideReview, escalateReview, reassignReview, releaseReview } from '@cairn/domain-review/decider';
import { invariant, isId, roles, type Decision, type JsonObject, type Principal } from '@cairn/kernel';
import { ASK_DEADLINE_MS, isFault, type IncomingMessage, type Settlement } from '@cairn/ports';
import type { Reviewing } from './reviewing.js';

const SUFFIX = '-review';
/** Shorter than whoever asked waits himself: he is told that it is decided, whatever execution does meanwhile. */
const APPLY_PATIENCE_MS = ASK_DEADLINE_MS / 2;

/** One request of a person, as `cairn.<ns>.cmd.human-review.<verb>-review` brings it. Throws `StoreFault`: then it comes again. */
export async function takeCommand(reviewing: Reviewing, { subject, id, body }: IncomingMessage): Promise<Settlement> {
  const verb = reviewVerbs.find((one) => subject.endsWith(`.${one}${SUFFIX}`));
  const { reviewId, by, data } = body as unknown as Partial<ReviewCommandMessage>;
  if (verb === undefined)
    return never({ code: 'command_unknown', detail: `human-review knows no command ${subject.slice(subject.lastIndexOf('.') + 1)}` });
  if (!isId(reviewId) || !isPrincipal(by)) return never({ code: 'command_invalid', detail: 'a command names a review and who asks' });
  const checked = checkBody(reviewBodies[verb] as Parameters<typeof checkBody<unknown>>[0], data);
  if (checked.kind === 'bad')
    return never({ code: 'command_invalid', detail: 'the command is not one of its kind', errors: checked.errors });
  const ns = namespaceOf(subject);
  const excluded = await reviewing.excludedSince(reviewId);
  const outcome = await reviewing.decide(reviewId, ns, { actor: by.id, causationId: id }, (state) =>
    decisionOf(withExcluded(state, excluded), by, verb, checked.value),
  );
  if (outcome.kind === 'rejected') {
    const answer: ReviewAnswer = { kind: 'rejected', rejection: outcome.rejection as unknown as RejectionBody };
    return { kind: 'done', answer: answer as unknown as JsonObject };
  }
  const { state } = outcome.head;
  invariant(state !== undefined, `review ${reviewId}: it moved and is not there`);
  const answer = await answerTo(reviewing, state, verb, outcome.kind === 'accepted');
  return { kind: 'done', answer: answer as unknown as JsonObject };
}

/** A decision is told the decider when the run has taken it, or has not: nobody believes that something happened which did not. */
async function answerTo(reviewing: Reviewing, state: ReviewState, verb: ReviewVerb, moved: boolean): Promise<ReviewAnswer> {
  const review = reviewView(state) as unknown as ReviewView;
  const kind = moved ? 'done' : 'unchanged';
  if (verb !== 'decide' && verb !== 'vote') return { kind, review };
  if (state.decision === null) return { kind, review, applied: 'open' };
  const { reviewId, run: runId, branch, requested } = state.opened;
  try {
    const applied = await reviewing.apply({ reviewId, ns: state.ns, runId, branch, requested }, state.decision.revision, APPLY_PATIENCE_MS);
    return applied.kind === 'yes' ? { kind, review, applied: 'yes' } : { kind, review, applied: 'no', says: applied.says };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { kind, review, applied: 'pending' }; // It is decided; the sweep brings it to the run.
  }
}

function decisionOf(
  state: ReviewState | undefined,
  by: Principal,
  verb: ReviewVerb,
  body: unknown,
): Decision<ReviewStreamEvent, ReviewRejection> {
  switch (verb) {
    case 'claim':
      return claimReview(state, { by, ...(body as ReviewBody<'claim'>) } as Parameters<typeof claimReview>[1]);
    case 'release':
      return releaseReview(state, { by, ...(body as ReviewBody<'release'>) } as Parameters<typeof releaseReview>[1]);
    case 'reassign':
      return reassignReview(state, { by, ...(body as ReviewBody<'reassign'>) } as Parameters<typeof reassignReview>[1]);
    case 'comment':
      return commentReview(state, { by, ...(body as ReviewBody<'comment'>) });
    case 'escalate':
      return escalateReview(state, { by, ...(body as ReviewBody<'escalate'>) } as Parameters<typeof escalateReview>[1]);
    case 'vote':
    case 'decide': {
      const { reviewId: _, subjectDigest, ...decision } = body as ReviewBody<'vote'>;
      const bare = subjectDigest.replace(/^sha256:/, '');
      return decideReview(state, { by, subjectDigest: bare, ...decision } as Parameters<typeof decideReview>[1]);
    }
  }
}

function isPrincipal(by: unknown): by is Principal {
  if (typeof by !== 'object' || by === null) return false;
  const { id, roles: has, groups } = by as Partial<Principal>;
  return (
    typeof id === 'string' &&
    Array.isArray(has) &&
    has.every((role) => (roles as readonly unknown[]).includes(role)) &&
    Array.isArray(groups) &&
    groups.every((group) => typeof group === 'string')
  );
}

function never(rejection: RejectionBody): Settlement {
  return {
    kind: 'never',
    reason: `${rejection.code}: ${rejection.detail}`,
    answer: { kind: 'rejected', rejection } as unknown as JsonObject,
  };
}
