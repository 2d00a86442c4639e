import {
  checkBody,
  FAILED_TYPE,
  FAILURE_MESSAGE_MAX,
  foreignJson,
  HEARTBEAT_TYPE,
  namespaceOf,
  OUTPUT_BYTES_MAX,
  problemOf,
  ReplyRefused,
  replySchema,
  signOfLifeSchema,
  STARTED_TYPE,
  subjects,
  SUCCEEDED_TYPE,
  type Checked,
  type CloudEvent,
  type Lease,
  type ReplyData,
  type SignOfLife,
} from '@cairn/contracts';
import { EXTERNAL_ID_MAX, isBranch, isId, isPlainText, partitionOf, type FieldError, type Json, type JsonObject } from '@cairn/kernel';
import type { IncomingMessage, Line, Settlement } from '@cairn/ports';
import type { Desk } from '../leases/desk.js';
import { toBytes } from '../partitions/words.js';
import type { Serving } from '../partitions/serving.js';

export interface ReplyDoorParts {
  readonly desk: Desk;
  readonly serving: Serving;
  readonly line: Line | undefined;
  /** The run of an attempt that is open as far as anybody knows. */
  readonly runOf: (attemptId: string) => string | undefined;
}

/** Errors that a dead letter's reason names: enough to mend the handler. */
const ERRORS_NAMED_MAX = 3;

/**
 * Replies of handlers that take tasks as messages, and those that another replica handed on (`cairn.<ns>.reply.<partition>`). Whatever is
 * wrong with one, it is a dead letter with its reason and never a crash.
 */
export class ReplyDoor {
  constructor(private readonly parts: ReplyDoorParts) {}

  async take(message: IncomingMessage): Promise<Settlement> {
    const ns = namespaceOf(message.subject);
    const checked = checkReply(ns, message);
    if (checked.kind === 'bad') return this.refused(ns, message, checked.errors);
    const attemptId = checked.value.data?.lease.attemptId ?? '';
    const runId = this.parts.runOf(attemptId) ?? checked.value.cairnrun;
    if (isSignOfLife(checked.value)) {
      if (runId !== undefined) await this.lives(ns, runId, attemptId, checked.value);
      return { kind: 'done' };
    }
    if (runId === undefined)
      return never([{ pointer: '/cairnrun', rule: 'missing', says: 'must name the run of an attempt that is not open' }]);
    const reply = { ...(checked.value as CloudEvent<ReplyData>), cairnrun: runId };
    try {
      return { kind: 'done', answer: { outcome: await this.parts.desk.recordHere(ns, attemptId, reply) } };
    } catch (error) {
      if (error instanceof ReplyRefused) return this.refused(ns, message, error.errors);
      throw error; // A fault pauses the consumer, a bug counts.
    }
  }

  /**
   * A dead letter; and where it was to end an attempt that is open, the attempt has failed, with what is wrong as its message. Else the same
   * work would be rung again without an end, and nobody would be told why (C-BOUND). About an effect nothing is said, so it is unknown.
   */
  private async refused(ns: string, { subject, body }: IncomingMessage, errors: readonly FieldError[]): Promise<Settlement> {
    const letter = never(errors);
    const lease = leaseOf(body);
    const runId = lease === undefined ? undefined : this.parts.runOf(lease.attemptId);
    const isItsOwn = errors.every(({ rule }) => !MISDIRECTED.has(rule)) && TERMINAL.has(String(body['type']));
    if (lease === undefined || runId === undefined || !isItsOwn || subject !== subjects.reply(ns, partitionOf(runId))) return letter;
    const message = `the reply was refused: ${letter.kind === 'never' ? letter.reason : ''}`.slice(0, FAILURE_MESSAGE_MAX);
    await this.parts.desk.recordHere(ns, lease.attemptId, {
      specversion: '1.0',
      id: `${lease.attemptId}:end`,
      source: isPlainText(body['source'], EXTERNAL_ID_MAX) ? body['source'] : '/unknown',
      type: FAILED_TYPE,
      cairnrun: runId,
      data: { lease, failure: { bucket: 'invalid_output', code: 'invalid_output', message } },
    });
    return letter;
  }

  /** Not stored: it is for whoever judges the lease. */
  private async lives(ns: string, runId: string, attemptId: string, reply: SignOfLife): Promise<void> {
    const { desk, serving, line } = this.parts;
    const server = serving.serves(runId) ? undefined : serving.serverOf(partitionOf(runId));
    if (server !== undefined) line?.tell(subjects.desk(ns, server, 'heartbeat'), toBytes({ attemptId }));
    else await desk.heartbeat(ns, attemptId, reply.data?.handler ?? reply.source);
  }
}

/** Replies that end an attempt. */
const TERMINAL: ReadonlySet<string> = new Set([SUCCEEDED_TYPE, FAILED_TYPE]);
/** What says that a reply is perhaps not about the attempt that it names: nothing is done to that one. */
const MISDIRECTED: ReadonlySet<string> = new Set(['attempt_mismatch', 'namespace_mismatch', 'partition_mismatch', 'invalid_id']);

/** The lease that a reply echoes, if that much of it can be read. */
function leaseOf(body: JsonObject): Lease | undefined {
  const lease = (body['data'] as { readonly lease?: Partial<Lease> } | null | undefined)?.lease;
  if (!isId(lease?.attemptId)) return undefined;
  const { branch, epoch } = lease;
  return { attemptId: lease.attemptId, branch: isBranch(branch) ? branch : 'main', epoch: typeof epoch === 'number' ? epoch : 0 };
}

const isSignOfLife = (reply: { readonly type: string }): reply is SignOfLife =>
  reply.type === STARTED_TYPE || reply.type === HEARTBEAT_TYPE;

/** Everything that is wrong with a reply, first what it says of itself and then where it came in. */
function checkReply(ns: string, { subject, body }: IncomingMessage): Checked<CloudEvent<ReplyData> | SignOfLife> {
  const wrong = foreignJson(body as Json);
  if (wrong !== undefined) return bad('', 'invalid_json', wrong);
  const isLife = isSignOfLife(body as unknown as CloudEvent<never>);
  const checked = isLife ? checkBody(signOfLifeSchema, body) : checkBody(replySchema, body);
  if (checked.kind === 'bad') return checked;
  const { cairnrun, cairnns, data } = checked.value;
  if (cairnns !== undefined && cairnns !== ns) return bad('/cairnns', 'namespace_mismatch', 'must be the namespace of the subject');
  if (cairnrun !== undefined && !isId(cairnrun)) return bad('/cairnrun', 'invalid_id', 'must be an id: 26 lower-case Crockford characters');
  if (cairnrun !== undefined && subject !== subjects.reply(ns, partitionOf(cairnrun)))
    return bad('/cairnrun', 'partition_mismatch', 'must be a run of the partition of the subject: reply to replyTo of the task');
  const output = (data as ReplyData | undefined)?.output;
  if (output !== undefined && Buffer.byteLength(JSON.stringify(output), 'utf8') > OUTPUT_BYTES_MAX)
    return bad('/data/output', 'too_large', `at most ${OUTPUT_BYTES_MAX} bytes; put larger results into the artifact store`);
  return checked;
}

const bad = (pointer: string, rule: string, says: string): { kind: 'bad'; errors: readonly FieldError[] } => ({
  kind: 'bad',
  errors: [{ pointer, rule, says }],
});

function never(errors: readonly FieldError[]): Settlement {
  const named = errors.slice(0, ERRORS_NAMED_MAX).map(({ pointer, rule, says }) => `${pointer} ${rule}: ${says}`);
  const problem = problemOf('invalid_body', 'The reply is not one that can be taken.', { errors });
  return { kind: 'never', reason: named.join('; '), answer: { problem } as unknown as JsonObject };
}
