import { FAILURE_DETAILS_BYTES_MAX, FAILURE_MESSAGE_MAX, type CloudEvent, type ReplyData, type ReplyFailure } from '@cairn/contracts';
import type { ArtifactRef, RecordReply, ReportedFailure, Usage } from '@cairn/domain-run';
import { instantOf, isPlainText, parseRfc3339, type Instant, type Json, type JsonObject } from '@cairn/kernel';

const CUT_MARK = '… (cut)';
/** Characters of an actor's name: it stands in every event of the append. */
const HANDLER_NAME_MAX = 128;

/**
 * A handler's reply as the command that records it. `outputRef` is set where the output is too large for an event; `shared` if another
 * handler may have the attempt, too.
 */
export function replyCommand(reply: CloudEvent<ReplyData>, outputRef: ArtifactRef | undefined, shared = false): RecordReply {
  const data = reply.data as ReplyData;
  const base = {
    attemptId: data.lease.attemptId,
    replyId: reply.id,
    ...(data.usage === undefined ? {} : { usage: data.usage as Usage }),
  };
  if (data.failure !== undefined) {
    const result = { kind: 'failed', failure: normalised(data.failure) } as const;
    return { type: 'RecordReply', data: { ...base, result, ...(shared ? { shared } : {}) } };
  }
  return {
    type: 'RecordReply',
    data: {
      ...base,
      result: {
        kind: 'succeeded',
        output: data.output ?? null,
        ...(outputRef === undefined ? {} : { outputRef }),
        ...(data.evidence === undefined ? {} : { evidence: data.evidence }),
        ...(data.uncertainty === undefined ? {} : { uncertainty: data.uncertainty }),
      },
    },
  };
}

/** What a handler calls itself, `unknown` where that is no plain text. */
export function handlerName(source: unknown): string {
  const name = typeof source === 'string' && source.startsWith('/') ? source.slice(1) : source;
  return isPlainText(name, HANDLER_NAME_MAX) ? name : 'unknown';
}

/** `handler:<source>`: whatever a handler calls itself, it stands in the history as one. */
export const actorOf = (source: unknown): string => `handler:${handlerName(source)}`;

/** What handlers say of a failure, within its bounds. What their silence about a side effect means is the decider's to say. */
function normalised(failure: ReplyFailure): ReportedFailure {
  const retryAfter = instantOrNone(failure.retryAfter);
  return {
    by: 'handler',
    ...(failure.bucket === undefined ? {} : { bucket: failure.bucket }),
    ...(failure.code === undefined ? {} : { code: failure.code }),
    message: cut(failure.message),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(failure.sideEffect === undefined ? {} : { sideEffect: failure.sideEffect }),
    ...(failure.evidence === undefined ? {} : { evidence: failure.evidence }),
    ...(failure.details === undefined ? {} : { details: bounded(failure.details) }),
  };
}

const cut = (text: string): string => {
  const formed = text.toWellFormed();
  return formed.length <= FAILURE_MESSAGE_MAX
    ? formed
    : `${formed.slice(0, FAILURE_MESSAGE_MAX - CUT_MARK.length).toWellFormed()}${CUT_MARK}`;
};

function bounded(details: JsonObject): { readonly [key: string]: Json } {
  const text = JSON.stringify(details);
  return text.length <= FAILURE_DETAILS_BYTES_MAX
    ? details
    : { cut: `${text.slice(0, FAILURE_DETAILS_BYTES_MAX - CUT_MARK.length).toWellFormed()}${CUT_MARK}` };
}

function instantOrNone(text: string | undefined): Instant | undefined {
  const ms = text === undefined ? undefined : parseRfc3339(text);
  return ms === undefined ? undefined : instantOf(ms);
}
