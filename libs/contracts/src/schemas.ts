import {
  EXTERNAL_ID_MAX,
  isBranch,
  isEventType,
  isExternalId,
  isId,
  isKey,
  isName,
  KEY_MAX,
  parseRfc3339,
  type FieldError,
  type Id,
  type Json,
  type JsonObject,
} from '@cairn/kernel';
import { z } from 'zod';
import type { ClaimRequest, Lease, ReplyData } from './exchange.js';
import { HOLD_MS_MAX, type RunControlRequest, type SignalRequest, type StartRunRequest } from './http.js';
import type { CloudEvent } from './messages.js';
import { reason } from './reason.js';

/** Attributes of a run: so many scalars of so many characters (`capabilities.md` §3.1). */
const ATTRIBUTES_MAX = 20;
const ATTRIBUTE_CHARS_MAX = 256;
/** Tasks that one poll may take: more would only wait in the poller. */
const POLL_TASKS_MAX = 256;
/** Emits that may lead to one another (`capabilities.md` §3.2, `emit`). */
const HOPS_MAX = 16;

// The edge has parsed it: whatever stands here is JSON.
const json = z.custom<Json>((value) => value !== undefined, { error: 'must be given' });
const id = z.custom<Id>(isId, { error: 'must be an id: 26 lower-case Crockford characters', params: { rule: 'invalid_id' } });
const key = z.custom<string>(isKey, { error: `must be 1 to ${KEY_MAX} characters without controls`, params: { rule: 'invalid_key' } });
const externalId = z.custom<string>(isExternalId, {
  error: `must be 1 to ${EXTERNAL_ID_MAX} characters without controls`,
  params: { rule: 'invalid_id' },
});
const eventType = z.custom<string>(isEventType, {
  error: 'must be at most 8 tokens of a-z 0-9 _ - joined by dots, at most 200 characters',
  params: { rule: 'invalid_type' },
});
const time = z.custom<string>((text) => typeof text === 'string' && parseRfc3339(text) !== undefined, {
  error: 'must be an RFC 3339 time',
  params: { rule: 'invalid_time' },
});

const attribute = z.union([z.string().max(ATTRIBUTE_CHARS_MAX), z.number(), z.boolean()], {
  error: `must be a text of at most ${ATTRIBUTE_CHARS_MAX} characters, a number or a boolean`,
});
const attributes = z
  .record(z.string().refine(isName, { error: 'must be a name' }), attribute)
  .refine((map) => Object.keys(map).length <= ATTRIBUTES_MAX, { error: `at most ${ATTRIBUTES_MAX}`, params: { rule: 'too_many' } });

/** `POST workflows/{name}/runs`. */
export const startRunSchema = z.strictObject({
  key: key.optional(),
  input: json.optional(),
  attributes: attributes.optional(),
}) as unknown as z.ZodType<StartRunRequest>;

/** `POST runs/{id}/signals/{name}`. */
export const signalSchema = z.strictObject({ data: json.optional() }) as unknown as z.ZodType<SignalRequest>;

/** `POST runs/{id}:cancel`, `:pause`, `:unpause`; also the data of the event that says the same. */
export const runControlSchema = z.strictObject({
  reason: reason.optional(),
}) as unknown as z.ZodType<RunControlRequest>;

/** A CloudEvent from outside. Attributes that we do not know are kept (B-8). */
export const inboundEventSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: externalId,
  source: externalId,
  type: eventType,
  subject: externalId.optional(),
  time: time.optional(),
  datacontenttype: z.string().max(EXTERNAL_ID_MAX).optional(),
  dataschema: externalId.optional(),
  cairnkey: key.optional(),
  cairnhops: z.number().int().min(0).max(HOPS_MAX).optional(),
  cairncause: externalId.optional(),
}) as unknown as z.ZodType<CloudEvent>;

export interface PollRequest {
  readonly max?: number;
  readonly waitMs?: number;
  readonly session?: Id;
}

/** `POST work/{queue}:poll`. */
export const pollSchema = z.strictObject({
  max: z.number().int().min(1).max(POLL_TASKS_MAX).optional(),
  waitMs: z.number().int().min(0).max(HOLD_MS_MAX).optional(),
  session: id.optional(),
}) as unknown as z.ZodType<PollRequest>;

/** `POST work/{attemptId}:heartbeat`: what it says is for people and is not stored. */
export const heartbeatSchema = z.strictObject({
  progress: z.string().max(EXTERNAL_ID_MAX).optional(),
  usage: z.record(z.string(), json).optional(),
  lease: json.optional(),
});

const lease = z.strictObject({
  attemptId: id,
  branch: z.custom<string>(isBranch, { error: 'must be a branch name' }),
  epoch: z.number().int().min(0),
});
const usage = z.strictObject({
  usd: z.number().min(0).optional(),
  tokensIn: z.number().int().min(0).optional(),
  tokensOut: z.number().int().min(0).optional(),
  model: z.string().max(EXTERNAL_ID_MAX).optional(),
});
const failure = z.strictObject({
  bucket: z.string().max(EXTERNAL_ID_MAX).optional(),
  code: z.string().max(EXTERNAL_ID_MAX).optional(),
  message: z.string(),
  retryAfter: time.optional(),
  sideEffect: z.enum(['none', 'applied', 'unknown']).optional(),
  evidence: z.string().max(EXTERNAL_ID_MAX).optional(),
  details: z.record(z.string(), json).optional(),
});

/** Types of the terminal replies. */
export const SUCCEEDED_TYPE = 'cairn.reply.succeeded.v1';
export const FAILED_TYPE = 'cairn.reply.failed.v1';

const replyBase = { specversion: z.literal('1.0'), id: externalId, source: externalId } as const;

/** How the id of an attempt's terminal reply ends, after the attempt id. */
const REPLY_ID_END = ':end';

/** Handlers may choose other reply ids (W-4), but none that says that it is the reply of another attempt: an append is caused by it. */
export const isReplyIdOf = (attemptId: string, replyId: string): boolean =>
  !replyId.endsWith(REPLY_ID_END) || replyId === attemptId + REPLY_ID_END;

/** A terminal reply of a handler, as a CloudEvent (`capabilities.md` §4). Its envelope may carry more; its data may not. */
export const replySchema = z
  .discriminatedUnion('type', [
    z.looseObject({
      ...replyBase,
      type: z.literal(SUCCEEDED_TYPE),
      data: z.strictObject({
        lease,
        output: json,
        evidence: z.string().max(EXTERNAL_ID_MAX).optional(),
        uncertainty: z.number().min(0).max(1).optional(),
        usage: usage.optional(),
      }),
    }),
    z.looseObject({ ...replyBase, type: z.literal(FAILED_TYPE), data: z.strictObject({ lease, failure, usage: usage.optional() }) }),
  ])
  .refine(({ id, data }) => isReplyIdOf(data.lease.attemptId, id), {
    path: ['id'],
    params: { rule: 'attempt_mismatch' },
    message: 'must be the attempt of the lease and :end',
  }) as unknown as z.ZodType<CloudEvent<ReplyData>>;

/** Not terminal, and not stored: somebody has taken the attempt, or is still at it. */
export const STARTED_TYPE = 'cairn.reply.started.v1';
export const HEARTBEAT_TYPE = 'cairn.reply.heartbeat.v1';

export interface SignOfLife extends CloudEvent<{ readonly lease: Lease; readonly handler?: string }> {
  readonly type: typeof STARTED_TYPE | typeof HEARTBEAT_TYPE;
}

const progress = { progress: z.string().max(EXTERNAL_ID_MAX).optional(), usage: z.record(z.string(), json).optional() } as const;

/** `started` and `heartbeat` of a handler that takes tasks as messages (`capabilities.md` §4). */
export const signOfLifeSchema = z.discriminatedUnion('type', [
  z.looseObject({
    ...replyBase,
    type: z.literal(STARTED_TYPE),
    data: z.strictObject({ lease, handler: externalId.optional() }),
  }),
  z.looseObject({
    ...replyBase,
    type: z.literal(HEARTBEAT_TYPE),
    data: z.strictObject({ lease, handler: externalId.optional(), ...progress }),
  }),
]) as unknown as z.ZodType<SignOfLife>;

/** What a handler asks at `subjects.claim`. */
export const claimSchema = z.strictObject({
  lease,
  handler: externalId.optional(),
  nonce: externalId.optional(),
}) as unknown as z.ZodType<ClaimRequest>;

const outputArtifact = z.strictObject({
  artifact: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  bytes: z.number().int().min(0),
  mediaType: z.string().max(EXTERNAL_ID_MAX),
});
export type OutputArtifact = z.infer<typeof outputArtifact>;

/** The artifact that an output stands for (`capabilities.md` §4 rule 6), or `undefined`: it is the output itself. */
export function outputArtifactOf(output: Json | undefined): OutputArtifact | undefined {
  if (typeof output !== 'object' || output === null || !('artifact' in output)) return undefined;
  const { data } = outputArtifact.safeParse(output);
  return data;
}

export type Checked<T> = { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'bad'; readonly errors: readonly FieldError[] };

/** Checks a parsed body and names everything that is wrong with it. Errors never repeat what was sent. */
export function checkBody<T>(schema: z.ZodType<T>, body: unknown): Checked<T> {
  const result = schema.safeParse(body);
  if (result.success) return { kind: 'ok', value: result.data };
  return { kind: 'bad', errors: result.error.issues.flatMap(fieldErrorsOf) };
}

function fieldErrorsOf(issue: z.core.$ZodIssue): FieldError[] {
  const pointer = pointerOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => ({ pointer: pointer + pointerOf([name]), rule: 'unknown_field', says: 'there is no such field' }));
  }
  if (issue.code === 'invalid_union') return unionErrors(pointer, issue);
  const params = issue.code === 'custom' ? (issue.params as JsonObject | undefined) : undefined;
  return [{ pointer, rule: typeof params?.['rule'] === 'string' ? params['rule'] : issue.code, says: sentenceOf(issue) }];
}

/** Of what may be one of several: the field that is wrong by each of them, with all that it may be; else what is wrong by the nearest. */
function unionErrors(pointer: string, issue: z.core.$ZodIssueInvalidUnion): FieldError[] {
  const { errors } = issue;
  // Which of several it is to be is said by one field.
  if ('options' in issue && issue.options !== undefined)
    return [{ pointer, rule: 'invalid_union', says: `must be one of ${issue.options.join(', ')}` }];
  const ways = errors.map((issues) => issues.flatMap(fieldErrorsOf).map((one) => ({ ...one, pointer: pointer + one.pointer })));
  const [nearest = []] = [...ways].sort((a, b) => a.length - b.length);
  const wrong = nearest.find(
    (one) => one.rule !== 'unknown_field' && ways.every((way) => way.some((other) => other.pointer === one.pointer)),
  );
  if (wrong === undefined)
    return nearest.length > 0 ? nearest : [{ pointer, rule: 'invalid_union', says: 'fits none of what may stand here' }];
  const says = ways.flatMap((way) => way.flatMap((one) => (one.pointer === wrong.pointer ? [one.says] : [])));
  return [{ ...wrong, says: [...new Set(says)].join('; or ') }];
}

const sentenceOf = (issue: z.core.$ZodIssue): string => issue.message.charAt(0).toLowerCase() + issue.message.slice(1);

/** RFC 6901. A pointer may hold what the sender named a field, cut: it says where, and is no echo of values. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).slice(0, ATTRIBUTE_CHARS_MAX).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
