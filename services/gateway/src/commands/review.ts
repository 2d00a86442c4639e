import {
  PROBLEM_TYPE_BASE,
  problemOf,
  reviewBodies,
  subjects,
  type ReviewAnswer,
  type ReviewCommandMessage,
  type ReviewVerb,
} from '@cairn/contracts';
import type { Id, JsonObject, Principal } from '@cairn/kernel';
import { accepted, ok, type Answer } from '../answer.js';
import { readOptionalJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse, Refused } from '../edge/refused.js';
import { checkedBody } from './checked-body.js';
import type { Intake } from './intake.js';

/** A decision about something older is a race that was lost, not a body that is wrong: it shares its code with artifacts, not its status. */
const CONFLICT = 409;

/**
 * `POST reviews/{id}:<verb>`: a person claims, comments, votes, decides. 200 with the review as it is then; 403 whoever may not; 409 with
 * what won where somebody was quicker; 202 where human-review did not answer in time.
 */
export async function reviewCommand(
  intake: Intake,
  ns: string,
  reviewId: Id,
  verb: ReviewVerb,
  by: Principal,
  body: RawBody | undefined,
): Promise<Answer> {
  const schema = reviewBodies[verb] as Parameters<typeof checkedBody<JsonObject>>[0];
  const data = checkedBody(schema, readOptionalJson(body));
  if (data['reviewId'] !== undefined && data['reviewId'] !== reviewId)
    refuse('invalid_body', 'The body names another review than the path.', {
      errors: [{ pointer: '/reviewId', rule: 'mismatch', says: 'must be the review of the path' }],
    });
  const message: ReviewCommandMessage = { reviewId, by, data };
  const subject = subjects.command(ns, 'human-review', `${verb}-review`);
  const answer = (await intake.ask(subject, message as unknown as JsonObject)) as unknown as ReviewAnswer | undefined;
  if (answer === undefined) return accepted({ review: reviewId, outcome: 'pending' });
  if (answer.kind === 'rejected') {
    const { code, detail, errors, expected, got } = answer.rejection;
    const extras = {
      instance: `/v1/${ns}/reviews/${reviewId}`,
      ...(errors === undefined ? {} : { errors }),
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
    };
    const problem = problemOf(code, detail, extras);
    throw new Refused(problem.type === `${PROBLEM_TYPE_BASE}digest-mismatch` ? { ...problem, status: CONFLICT } : problem);
  }
  const { review, applied, says } = answer;
  return ok({ ...review, ...(applied === undefined ? {} : { applied }), ...(says === undefined ? {} : { says }) });
}
