import type { DomainEvent, Id, Instant, Json, JsonObject } from '@cairn/kernel';

/** Bytes lie in the artifact store under their digest, durable before the event is appended. */
export interface DataRef {
  /** `sha256:<hex>` of the canonical JSON. */
  readonly artifact: string;
  readonly bytes: number;
  readonly mediaType: string;
}

/** What a direct subject names. Absent: an event for whoever it concerns. */
export type EventTarget =
  { readonly kind: 'start'; readonly workflow: string } | { readonly kind: 'signal'; readonly runId: Id; readonly name: string };

/** What an operator asks of a whole run. Beside `target`, not in it: alternatives of a stored field never grow. */
export interface EventControl {
  readonly runId: Id;
  readonly verb: 'cancel' | 'pause' | 'unpause' | 'branch.open' | 'effect.reconcile' | 'effect.compensate' | 'wait.reschedule';
}

/** The link that was used. Beside `target`, like `control`. */
export interface EventCallback {
  readonly runId: Id;
  readonly waitId: Id;
  readonly name: string;
}

/** An event of the outside world as it was accepted. The first event of `receipt-<receiptId>`, once, for ever. */
export type EventReceived = DomainEvent<
  'EventReceived',
  1,
  {
    readonly receiptId: Id;
    readonly source: string;
    readonly id: string;
    readonly type: string;
    readonly subject?: string;
    /** `cairnkey`, else `subject`, else absent. */
    readonly key?: string;
    /** The sender's time, as it was written. */
    readonly time?: string;
    readonly dataschema?: string;
    readonly target?: EventTarget;
    readonly control?: EventControl;
    readonly callback?: EventCallback;
    /** CloudEvents extension attributes, all of them. */
    readonly extensions: JsonObject;
    /** Inline up to 4 KiB, else `dataRef`; neither if the event has no data. */
    readonly data?: Json;
    readonly dataRef?: DataRef;
    /** What the sender may not change under one id: see `bodyDigestOf`. */
    readonly bodyDigest: string;
    readonly via: 'http' | 'bus' | 'emit';
  }
>;

/** From strongest to weakest: the strongest line of a receipt is the one that is shown. */
export const outcomes = [
  'started',
  'branched',
  'woke',
  'attached',
  'invalidated',
  'kept',
  'near_miss',
  'late',
  'unmatched',
  'refused',
] as const;
export type Outcome = (typeof outcomes)[number];

export interface ReceiptRun {
  readonly run: Id;
  readonly branch?: string;
  readonly wait?: string;
}

/** A wait of the right type that exactly one further clause kept closed. */
export interface NearMissLine {
  readonly run: Id;
  readonly wait: string;
  readonly clause: string;
  readonly expected: Json;
  readonly got: Json;
}

/** Why an event was refused: `code` is noun first in snake_case. */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly rule: string; readonly says: string }[];
  /** Of a branch that was not opened: what would be kept and run again, and what is to be chosen. */
  readonly plan?: JsonObject;
}

/** One line of a receipt: what the event did, or why nothing happened. Lines only grow. */
export type ReceiptSettled = DomainEvent<
  'ReceiptSettled',
  1,
  {
    readonly receiptId: Id;
    readonly outcome: Outcome;
    readonly runs: readonly ReceiptRun[];
    readonly keptUntil?: Instant;
    readonly nearMisses: readonly NearMissLine[];
    readonly problem?: Problem;
  }
>;

export type ReceiptEvent = EventReceived | ReceiptSettled;
export type ReceiptLine = Omit<ReceiptSettled['data'], 'receiptId'>;
