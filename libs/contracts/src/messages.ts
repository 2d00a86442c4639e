import type { Id, Instant, Json, JsonObject } from '@cairn/kernel';

/** CloudEvents 1.0, structured JSON: the one envelope of everything that is sent. Unknown attributes are kept. */
export interface CloudEvent<D = Json> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly data?: D;
  readonly cairnkey?: string;
  readonly cairnns?: string;
  readonly cairnrun?: string;
  readonly cairnbranch?: string;
  readonly cairnhops?: number;
  readonly cairncause?: string;
  /** Set from authentication, never believed from outside. */
  readonly cairnactor?: string;
  readonly [extension: string]: unknown;
}

/** A command to execution as it travels: `type` is the command's PascalCase name, `causationId` what the append will carry. */
export interface CommandMessage {
  readonly id: string;
  readonly ns: string;
  readonly runId: Id;
  readonly type: string;
  readonly actor: string;
  readonly causationId: string;
  readonly data: JsonObject;
}

/** What execution answers to a command, after its append (`architecture.md` §4.5). */
export type CommandAnswer =
  | { readonly kind: 'accepted'; readonly runId: Id; readonly branch: string; readonly revision: number }
  | { readonly kind: 'nothing'; readonly runId: Id; readonly because: string; readonly state?: string; readonly startedBy?: Id }
  | { readonly kind: 'rejected'; readonly runId: Id; readonly rejection: RejectionBody };

export interface RejectionBody {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly rule: string; readonly says: string }[];
  readonly clause?: string;
  readonly expected?: unknown;
  readonly got?: unknown;
  /** Of a branch that was not opened. */
  readonly plan?: object;
}

/** A doorbell with ids and a revision; smaller than the stored event. Body of `cairn.<ns>.evt.run.<event>.<runId>`. */
export interface RunFact {
  readonly ns: string;
  readonly runId: Id;
  readonly branch: string;
  readonly revision: number;
  readonly eventId: Id;
  readonly event: string;
  readonly at: Instant;
}

/** The same of a review. Body of `cairn.<ns>.evt.review.<event>.<reviewId>`. */
export interface ReviewFact {
  readonly ns: string;
  readonly reviewId: Id;
  /** Who asks. */
  readonly runId: Id;
  readonly branch: string;
  readonly step: string;
  readonly revision: number;
  readonly eventId: Id;
  readonly event: string;
  readonly at: Instant;
}

/** What a receipt says (`capabilities.md` §5.3), folded from its lines. */
export interface Receipt {
  readonly receiptId: Id;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly at: Instant;
  /** `pending` until the first line. */
  readonly outcome: ReceiptOutcome | 'pending';
  /** Deliveries are not counted; lines are. */
  readonly count: number;
  readonly runs: readonly { readonly run: Id; readonly branch?: string; readonly wait?: string }[];
  readonly keptUntil?: Instant;
  readonly duplicateOf?: Id;
  readonly nearMisses: readonly NearMiss[];
  readonly problem?: RejectionBody;
}

export type ReceiptOutcome =
  'started' | 'branched' | 'woke' | 'attached' | 'invalidated' | 'kept' | 'near_miss' | 'duplicate' | 'late' | 'unmatched' | 'refused';

export interface NearMiss {
  readonly run: Id;
  readonly wait: string;
  readonly clause: string;
  readonly expected: Json;
  readonly got: Json;
}
