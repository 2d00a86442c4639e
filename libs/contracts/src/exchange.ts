import type { FieldError, Id, Instant, Json, JsonObject } from '@cairn/kernel';
import type { CloudEvent } from './messages.js';

/** One frame of a worker session (`history.md` §4). `seq` counts the session's frames from 1. */
export interface ExchangeRequest {
  readonly session: Id;
  /** The session that this one takes the place of: its leases lapse at once. */
  readonly replaces?: Id;
  readonly seq: number;
  /** Who works, for people: `screening/7`. */
  readonly handler: string;
  /** How many more tasks of each queue the session will take. */
  readonly queues: Readonly<Record<string, number>>;
  /** Attempt ids that the session has: the frame renews the leases of these alone. */
  readonly held: readonly Id[];
  readonly replies: readonly CloudEvent<ReplyData>[];
  /** Over the bus: where whoever sends this frame listens for as long as it lives. When nobody listens there any more it is gone. */
  readonly alive?: string;
}

export interface ExchangeResponse {
  readonly seq: number;
  /** Reply ids whose append is durable. */
  readonly accepted: readonly string[];
  /** Reply ids that came too late: recorded, not applied. */
  readonly late: readonly string[];
  /** Reply ids handed to another replica. */
  readonly forwarded: readonly string[];
  /** Replies that are wrong and stay so however often they are sent; absent if there are none. */
  readonly refused?: readonly { readonly id: string; readonly errors: readonly FieldError[] }[];
  readonly tasks: readonly CloudEvent<TaskData>[];
}

/** Bytes of one frame at most, over HTTP. */
export const FRAME_BYTES_MAX = 8 * 1_048_576;
/** Bytes of one frame over the bus at most, either way: below a server's `max_payload` of 1 MiB. What does not fit goes with the next. */
export const LINE_FRAME_BYTES_MAX = 786_432;
/** How long a frame is held open while there is nothing to say. */
export const FRAME_HOLD_MS = 400;
/** A session beats at least this often; an open frame counts. */
export const BEAT_MS = 500;
/** Missed beats after which a session is dead and all its leases lapse. */
export const BEATS_MISSED_MAX = 3;

/** What a handler is given (`capabilities.md` §4). */
export interface TaskData {
  /**
   * `reconcile`: find out whether `effect` has happened, and answer `{found: true | false | null, result?}`; `false` says that it has not
   * and will not any more. `compensate`: undo it; what is undone already is undone. Both may come again under the same key. `decide`: answer
   * `{choice, because}` with one of `choices`.
   */
  readonly kind: 'task' | 'decide' | 'effect' | 'reconcile' | 'compensate';
  readonly workflow: string;
  /** A session serves several queues in one frame: the task says which code it is for. */
  readonly queue: string;
  readonly step: string;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly input: Json;
  readonly params: Json;
  readonly purpose?: string;
  /** What a person wants to be different from earlier attempts. */
  readonly guidance?: string;
  /** On a branch: what became of the path before it, and what is different now. Absent where the branch tells nothing. */
  readonly lesson?: TaskLesson;
  /** Of a decision: what may be chosen. */
  readonly choices?: readonly string[];
  /** Of an effect. `key` is what goes to the target as its idempotency key, suffix included. */
  readonly effect?: {
    readonly key: string;
    readonly fingerprint: string;
    readonly guarantee: 'none' | 'reconcile' | 'idempotent';
    /**
     * Of a reconciliation: the number of the attempt of which nobody knows, as its own task said it. A target that is sent it can refuse
     * whatever of that attempt, or of one before it, still comes: then `found: false` holds for good.
     */
    readonly attempt?: number;
    /** Of a compensation: what the target gave for the act. */
    readonly receipt?: Json;
  };
  /** The attempt must be claimed before anything is done; the answer of poll or exchange that holds this task is the grant. */
  readonly claim?: true;
  readonly lease: Lease;
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly replyTo: string;
  readonly previous?: { readonly bucket: string; readonly message: string };
}

/** A short, structured account of the path that a branch follows (`capabilities.md` §6). */
export interface TaskLesson {
  readonly branch: string;
  readonly cause: string;
  readonly reason: string;
  /** Where the branch grew: `main@6`. */
  readonly from: string;
  /** The head that it follows, where that was left: `main@41`. */
  readonly left: string;
  /** How the run had ended there, if it had. */
  readonly outcome?: string;
  /** What could not go on there, the newest first. */
  readonly failures: readonly {
    readonly step: string;
    readonly attempts: number;
    readonly bucket: string | null;
    readonly message: string;
  }[];
  /** JSON Patch, without large values. */
  readonly changes: readonly { readonly op: string; readonly path: string; readonly value?: Json }[];
  /** The same of the branches that this one grew from, the newest first. */
  readonly before?: readonly Omit<TaskLesson, 'before'>[];
}

/** Branch and epoch inform; the attempt id is what fences. */
export interface Lease {
  readonly attemptId: Id;
  readonly branch: string;
  readonly epoch: number;
}

/** The data of a terminal reply, `cairn.reply.succeeded.v1` or `cairn.reply.failed.v1`. Its id is `<attemptId>:end`. */
export interface ReplyData {
  readonly lease: Lease;
  readonly output?: Json;
  readonly evidence?: string;
  readonly uncertainty?: number;
  readonly usage?: JsonObject;
  readonly failure?: ReplyFailure;
}

export interface ReplyFailure {
  readonly bucket?: string;
  readonly code?: string;
  readonly message: string;
  readonly retryAfter?: Instant;
  readonly sideEffect?: 'none' | 'applied' | 'unknown';
  readonly evidence?: string;
  readonly details?: JsonObject;
}

/** Bytes of an inline output; larger ones go to the artifact store first. */
export const OUTPUT_BYTES_MAX = 65_536;
/** Bytes of an output that is an artifact: it is read, parsed and checked before the append that names it, all in memory. */
export const OUTPUT_ARTIFACT_BYTES_MAX = 8 * 1_048_576;
/** Characters of a failure's message, and bytes of its details; longer text is cut and marked. */
export const FAILURE_MESSAGE_MAX = 2_048;
export const FAILURE_DETAILS_BYTES_MAX = 8_192;

/** A queue as the desk sees it. `handlers`: sessions and polls that are open or were within the patience of a session. */
export interface QueueView {
  readonly handlers: number;
  readonly waiting: number;
}

/**
 * Tells that whoever asked has hung up. The part of an `AbortSignal` that is needed, and every such signal is one: to make a whole one for
 * each frame would cost more than the frame (13 µs on Node 20).
 */
export interface HangUp {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** How long a session whose connection was cut may take to show up again before its leases lapse. */
export const HANG_UP_GRACE_MS = 300;

/** What execution offers to those who carry work between it and handlers. Input was checked before. */
export interface WorkDesk {
  /**
   * One frame of a session. Resolves within `FRAME_HOLD_MS` and the time of its appends. `gone` aborts when whoever sent the frame has
   * hung up: its session has `HANG_UP_GRACE_MS` to come back, else its leases lapse.
   */
  exchange(ns: string, frame: ExchangeRequest, gone?: HangUp): Promise<ExchangeResponse>;
  /** Up to `max` tasks of a queue, waiting up to `waitMs` for the first. Counts as `started`, and as the claim. */
  poll(
    ns: string,
    queue: string,
    options: { readonly max: number; readonly waitMs: number; readonly session?: Id; readonly gone?: HangUp },
  ): Promise<readonly CloudEvent<TaskData>[]>;
  /** Every connection that carried the session's frames is closed: unless it is heard again within `HANG_UP_GRACE_MS`, its leases lapse. */
  lostConnection(session: Id): void;
  /** Who serves a queue now, and what waits in it: what `why` says of a run whose task nobody takes. */
  queue(ns: string, queue: string): Promise<QueueView>;
  /** Who has an open attempt, or `undefined` while nobody has. */
  holder(attemptId: Id): Promise<string | undefined>;
  /** Renews an attempt's lease. `false`: it is not open any more. */
  heartbeat(ns: string, attemptId: Id): Promise<boolean>;
  /**
   * Records a terminal reply. `accepted` after its append; `late` if the attempt is over, which is recorded too. Throws `ReplyRefused`,
   * and then nothing is recorded.
   */
  reply(ns: string, attemptId: Id, reply: CloudEvent<ReplyData>): Promise<'accepted' | 'late'>;
}

/** A reply that is wrong whoever looks at it: sending it again changes nothing. */
export class ReplyRefused extends Error {
  override readonly name = 'ReplyRefused';
  constructor(readonly errors: readonly FieldError[]) {
    super(errors.map(({ pointer, says }) => `${pointer} ${says}`).join('; '));
  }
}

/** Asked at `subjects.claim`. Without a nonce it is granted once and never again, also if the answer was lost. */
export interface ClaimRequest {
  readonly lease: Lease;
  readonly handler?: string;
  readonly nonce?: string;
}

/** Only `granted` permits the act. `paused`: ask again later; `taken` and `over`: never. */
export type ClaimResponse = { readonly granted: true } | { readonly granted: false; readonly because: 'taken' | 'over' | 'paused' };

/**
 * A replica of execution lives, told every `PRESENCE_BEAT_MS`; `leaving` with its last word. While it is `joining` it listens, but serves no
 * partition: it has just started, or was stopped or cut off, and what it believes of the others is old.
 */
export interface Presence {
  readonly replica: Id;
  readonly joining?: true;
  readonly leaving?: true;
}
/** Short, since a dead replica's runs stand still until the others have missed it. */
export const PRESENCE_BEAT_MS = 200;
/**
 * Silence for so long, and a replica counts as gone. One whose connection is closed is noticed at its first missed beat, so this is for those
 * that are frozen or cut off alone, and long enough that one which is merely short of processor time keeps its runs.
 */
export const PRESENCE_PATIENCE_MS = 3_000;

/** Questions at `subjects.desk` and their answers, as JSON. An answer may instead be a `{problem}`. */
export interface DeskMessages {
  readonly poll: {
    readonly asks: { readonly queue: string; readonly max: number; readonly waitMs: number; readonly session?: Id };
    readonly answers: { readonly tasks: readonly CloudEvent<TaskData>[] };
  };
  readonly heartbeat: { readonly asks: { readonly attemptId: Id }; readonly answers: { readonly open: boolean } };
  readonly reply: {
    readonly asks: { readonly attemptId: Id; readonly reply: CloudEvent<ReplyData> };
    readonly answers: { readonly outcome: 'accepted' | 'late' };
  };
  readonly queue: { readonly asks: { readonly queue: string }; readonly answers: QueueView };
  readonly holder: { readonly asks: { readonly attemptId: Id }; readonly answers: { readonly holder?: string } };
  /** Every connection that carried the session's frames is closed. Told, not asked. */
  readonly lost: { readonly asks: { readonly session: Id }; readonly answers: never };
  /** Between replicas: another one has moved the run, and this one serves its partition. Told, not asked; the sweep finds what was not heard. */
  readonly moved: { readonly asks: { readonly runId: Id }; readonly answers: never };
}
