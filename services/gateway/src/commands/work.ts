import { heartbeatSchema, OUTPUT_BYTES_MAX, pollSchema, ReplyRefused, replySchema, type HangUp, type WorkDesk } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import { ok, type Answer } from '../answer.js';
import { readJson, readOptionalJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import { checkedBody } from './checked-body.js';

/** `POST work/{queue}:poll`: tasks of a queue, one request at a time, for any language. Who has `gone` is given none. */
export async function pollWork(desk: WorkDesk, ns: string, queue: string, body: RawBody | undefined, gone: HangUp): Promise<Answer> {
  const { max = 1, waitMs = 0, session } = checkedBody(pollSchema, readOptionalJson(body));
  return ok({ tasks: await desk.poll(ns, queue, { max, waitMs, gone, ...(session === undefined ? {} : { session }) }) });
}

/** `POST work/{attemptId}:heartbeat`. */
export async function beat(desk: WorkDesk, ns: string, attemptId: Id, body: RawBody | undefined): Promise<Answer> {
  checkedBody(heartbeatSchema, readOptionalJson(body));
  return ok((await desk.heartbeat(ns, attemptId)) ? { accepted: true } : LATE);
}

/** `POST work/{attemptId}:reply`: accepted once its append is durable. A late one is recorded and changes nothing (B-29). */
export async function reply(desk: WorkDesk, ns: string, attemptId: Id, body: RawBody | undefined): Promise<Answer> {
  const event = checkedBody(replySchema, readJson(body));
  const { lease, output } = event.data ?? {};
  if (lease?.attemptId !== attemptId) {
    refuse('invalid_body', 'The reply is one to another attempt.', {
      errors: [{ pointer: '/data/lease/attemptId', rule: 'attempt_mismatch', says: 'must equal the attempt in the path' }],
    });
  }
  if (output !== undefined && Buffer.byteLength(JSON.stringify(output), 'utf8') > OUTPUT_BYTES_MAX) {
    refuse('invalid_body', 'The output is too large.', {
      errors: [{ pointer: '/data/output', rule: 'too_large', says: `at most ${OUTPUT_BYTES_MAX} bytes` }],
    });
  }
  const outcome = await desk.reply(ns, attemptId, event).catch((error: unknown) => {
    if (error instanceof ReplyRefused) return refuse('invalid_body', 'The reply cannot be taken.', { errors: error.errors });
    throw error;
  });
  return ok(outcome === 'accepted' ? { accepted: true } : LATE);
}

const LATE = { accepted: false, because: 'late' } as const;
