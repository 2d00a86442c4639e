import type { Page, ReviewView } from '@cairn/contracts';
import { evolveReview, refusalOf, reviewView, statusOf, type ReviewState } from '@cairn/domain-review';
import { reviewStream, type Id, type Principal, type StoredEvent } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import { invalidParameter, limitParam, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { ReadModels } from '../readmodels/read-models.js';

const RISKS = ['critical', 'high', 'medium', 'low'];

/** `GET reviews?queue=&risk=&why=&run=&mine=`: what is open, the riskiest first, then by deadline. */
export function listReviews(models: ReadModels, ns: string, principal: Principal, query: Query): Page<ReviewView> {
  const { queue, risk, why, run, mine, limit: limitText } = readQuery(query, ['queue', 'risk', 'why', 'run', 'mine', 'limit']);
  if (risk !== undefined && !RISKS.includes(risk)) invalidParameter('risk', `must be one of ${RISKS.join(', ')}`);
  if (mine !== undefined && mine !== 'true' && mine !== 'false') invalidParameter('mine', 'must be true or false');
  const limit = limitParam(limitText);
  const found = [...models.reviews.all()].filter(
    (state) =>
      state.ns === ns &&
      (queue === undefined || state.opened.queue === queue) &&
      (risk === undefined || state.opened.risk === risk) &&
      (why === undefined || state.opened.why === why) &&
      (run === undefined || state.opened.run === run) &&
      (mine !== 'true' || isMine(state, principal)),
  );
  const place = ({ opened }: ReviewState): string => `${RISKS.indexOf(opened.risk)} ${opened.deadline} ${opened.reviewId}`;
  found.sort((a, b) => (place(a) < place(b) ? -1 : 1));
  return { items: found.slice(0, limit).map(viewOf) };
}

/** Those that he has in hand, or could take. */
const isMine = (state: ReviewState, principal: Principal): boolean =>
  state.claimedBy === principal.id || (statusOf(state) === 'open' && refusalOf(state, principal) === undefined);

/** `GET reviews/{id}`, open or closed, from its own stream: what a decision may name. Looking at it decides nothing. */
export async function showReview(store: EventStore, ns: string, id: Id): Promise<ReviewView> {
  const events = await store.read(reviewStream(id));
  const state = events.reduce<ReviewState | undefined>((before, event: StoredEvent) => evolveReview(before, event), undefined);
  if (state?.ns !== ns) return refuse('review_not_found', 'There is no such review in this namespace.');
  return viewOf(state);
}

const viewOf = (state: ReviewState): ReviewView => reviewView(state) as unknown as ReviewView;
