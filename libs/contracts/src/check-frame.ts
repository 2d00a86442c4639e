import { isBranch, isId, isName, isPlainText, type FieldError } from '@cairn/kernel';
import { OUTPUT_BYTES_MAX, type ExchangeRequest, type ReplyData } from './exchange.js';
import type { CloudEvent } from './messages.js';
import { checkBody, isReplyIdOf, replySchema, SUCCEEDED_TYPE } from './schemas.js';

/** Queues that one session works on, tasks that it holds, and replies of one frame, at most: bounds the work that a frame makes. */
const QUEUES_MAX = 64;
const HELD_MAX = 4_096;
const FREE_MAX = 4_096;
const HANDLER_CHARS_MAX = 128;
const ALIVE_CHARS_MAX = 256;

export type CheckedFrame =
  { readonly kind: 'ok'; readonly frame: ExchangeRequest } | { readonly kind: 'bad'; readonly errors: readonly FieldError[] };

const FIELDS: ReadonlySet<string> = new Set(['session', 'replaces', 'seq', 'handler', 'queues', 'held', 'replies']);

/**
 * Checks a frame's structure by hand: this runs for every step of every run, and a schema costs ten times as much for replies in bulk.
 * A reply that looks wrong is looked at again by its schema, which names the fields; so `reply` and frames refuse the same.
 */
export function checkFrame(body: unknown, frameBytes: number, over: 'http' | 'line' = 'http'): CheckedFrame {
  if (!isObject(body)) return { kind: 'bad', errors: [{ pointer: '', rule: 'invalid_type', says: 'must be an object' }] };
  const errors: FieldError[] = [];
  const wrong = (pointer: string, rule: string, says: string): void => {
    errors.push({ pointer, rule, says });
  };
  for (const name of Object.keys(body))
    if (!FIELDS.has(name) && !(name === 'alive' && over === 'line'))
      wrong(`/${name.slice(0, 80)}`, 'unknown_field', 'there is no such field');
  if (!isId(body.session)) wrong('/session', 'invalid_id', 'must be an id');
  if (body.replaces !== undefined && !isId(body.replaces)) wrong('/replaces', 'invalid_id', 'must be an id');
  if (!Number.isSafeInteger(body.seq) || (body.seq as number) < 1) wrong('/seq', 'invalid_number', 'must be a whole number from 1');
  if (!isPlainText(body.handler, HANDLER_CHARS_MAX))
    wrong('/handler', 'invalid_text', `must be 1 to ${HANDLER_CHARS_MAX} characters without controls`);
  if (body.alive !== undefined && !isAliveAt(body.alive))
    wrong('/alive', 'invalid_subject', `must be a subject of at most ${ALIVE_CHARS_MAX} characters under _INBOX`);
  checkQueues(body.queues, wrong);
  checkHeld(body.held, wrong);
  if (!Array.isArray(body.replies)) wrong('/replies', 'invalid_type', 'must be a list');
  else for (let i = 0; i < body.replies.length; i++) checkReply(body.replies[i], i, frameBytes, errors);
  return errors.length > 0 ? { kind: 'bad', errors } : { kind: 'ok', frame: body as unknown as ExchangeRequest };
}

type Wrong = (pointer: string, rule: string, says: string) => void;

function checkQueues(queues: unknown, wrong: Wrong): void {
  if (!isObject(queues)) {
    wrong('/queues', 'invalid_type', 'must map names of queues to numbers');
    return;
  }
  let count = 0;
  for (const [name, free] of Object.entries(queues)) {
    count += 1;
    const pointer = `/queues/${name.slice(0, 80)}`;
    if (!isName(name)) wrong(pointer, 'invalid_name', 'must be a name');
    if (!Number.isSafeInteger(free) || (free as number) < 0 || (free as number) > FREE_MAX)
      wrong(pointer, 'invalid_number', `must be a whole number from 0 to ${FREE_MAX}`);
  }
  if (count > QUEUES_MAX) wrong('/queues', 'too_many', `at most ${QUEUES_MAX} queues`);
}

function checkHeld(held: unknown, wrong: Wrong): void {
  if (!Array.isArray(held)) {
    wrong('/held', 'invalid_type', 'must be a list of attempt ids');
    return;
  }
  if (held.length > HELD_MAX) wrong('/held', 'too_many', `at most ${HELD_MAX} attempts`);
  for (let i = 0; i < held.length; i++) if (!isId(held[i])) wrong(`/held/${i}`, 'invalid_id', 'must be an attempt id');
}

function checkReply(reply: unknown, index: number, frameBytes: number, errors: FieldError[]): void {
  if (!looksRight(reply)) {
    const checked = checkBody(replySchema, reply);
    if (checked.kind === 'bad') for (const error of checked.errors) errors.push({ ...error, pointer: `/replies/${index}${error.pointer}` });
  }
  // No output of a frame that is smaller than the limit can be larger than it.
  const output = frameBytes > OUTPUT_BYTES_MAX && isObject(reply) && isObject(reply.data) ? reply.data.output : undefined;
  if (output !== undefined && byteLength(output) > OUTPUT_BYTES_MAX) errors.push(tooLarge(index));
}

/** Plain success with nothing beside its output: nearly every reply there is. */
function looksRight(reply: unknown): reply is CloudEvent<ReplyData> {
  if (
    !isObject(reply) ||
    reply.specversion !== '1.0' ||
    reply.type !== SUCCEEDED_TYPE ||
    !isPlainText(reply.id, HANDLER_CHARS_MAX) ||
    !isPlainText(reply.source, HANDLER_CHARS_MAX)
  )
    return false;
  const { data } = reply;
  if (!isObject(data) || data.output === undefined || !isObject(data.lease)) return false;
  for (const name in data) if (name !== 'lease' && name !== 'output') return false;
  const { attemptId, branch, epoch } = data.lease;
  for (const name in data.lease) if (name !== 'attemptId' && name !== 'branch' && name !== 'epoch') return false;
  return isId(attemptId) && isReplyIdOf(attemptId, reply.id) && isBranch(branch) && Number.isSafeInteger(epoch) && (epoch as number) >= 0;
}

/** Execution sends to it, so it may be nothing but an inbox: what a handler may not publish to, it must not have published for it. */
const isAliveAt = (value: unknown): boolean => isPlainText(value, ALIVE_CHARS_MAX) && /^_INBOX[\w-]*(\.[\w-]+)+$/.test(value);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const byteLength = (value: unknown): number => Buffer.byteLength(JSON.stringify(value), 'utf8');
const tooLarge = (index: number): FieldError => ({
  pointer: `/replies/${index}/data/output`,
  rule: 'too_large',
  says: `at most ${OUTPUT_BYTES_MAX} bytes; put larger results into the artifact store`,
});
