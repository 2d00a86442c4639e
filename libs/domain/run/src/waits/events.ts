import type { DomainEvent, Id, Instant, Json, JsonObject } from '@cairn/kernel';
import type { ArtifactRef, Occurrence, WaitId } from '../shared-fields.js';

/** What may end a wait, as it stands in the history: keys evaluated, instants absolute. */
export type StoredTrigger =
  | {
      readonly kind: 'event';
      readonly type: string;
      readonly key?: string;
      readonly where?: string;
      readonly from?: readonly string[];
      readonly mayResume?: readonly string[];
    }
  | { readonly kind: 'signal'; readonly name: string; readonly mayResume?: readonly string[] }
  /** Whoever has its link: the token stands nowhere in the history. */
  | { readonly kind: 'callback'; readonly name: string }
  | { readonly kind: 'timer'; readonly at: Instant };

/** What happens if nothing comes. */
export type OnDeadline = { readonly value: Json } | { readonly step: string } | { readonly fail: string } | { readonly giveUp: true };

/** The clauses under which the run may go on (C-CONTINUE); a resume that breaks one is refused with its id. */
export interface ContinuationContract {
  readonly intent: string | null;
  readonly branch: string;
  readonly clauses: readonly { readonly id: string; readonly says: string }[];
}

/** The run waits, and says for what. Appended together with its `wait` checkpoint (C-WAITCKPT). */
export type WaitOpened = DomainEvent<
  'WaitOpened',
  1,
  {
    readonly waitId: WaitId;
    readonly step: Occurrence;
    readonly mode: 'any' | 'all' | 'atLeast';
    readonly k: number;
    readonly triggers: readonly StoredTrigger[];
    readonly deadline: Instant | null;
    readonly noDeadline?: { readonly because: string; readonly by: string };
    readonly onDeadline: OnDeadline | null;
    readonly staleAt: Instant | null;
    readonly lookBack: 'run' | 'none' | number;
    readonly keepOpen: boolean;
    readonly guard?: string;
    readonly assumptions: readonly JsonObject[];
    readonly restores: string;
    readonly cel: string;
    readonly contract: ContinuationContract;
  }
>;

/** Something that the wait wants has come, and is kept here: an inbound event counts once per wait step, for ever. */
export type WaitTriggered = DomainEvent<
  'WaitTriggered',
  1,
  {
    readonly waitId: WaitId;
    readonly step: Occurrence;
    /** Index into the wait's triggers. */
    readonly trigger: number;
    /** The receipt's id; for a timer an id derived from wait and trigger. */
    readonly eventId: Id;
    readonly source?: string;
    readonly id?: string;
    readonly type?: string;
    /** It had come before the wait opened. */
    readonly kept: boolean;
    readonly at: Instant;
    readonly data?: Json;
    readonly dataRef?: ArtifactRef;
  }
>;

/** The combination holds; the step is settled and the other triggers are closed with it. */
export type WaitSatisfied = DomainEvent<
  'WaitSatisfied',
  1,
  { readonly waitId: WaitId; readonly step: Occurrence; readonly triggers: readonly number[] }
>;
/** The deadline passed first, and `then` happens, as the definition declared. */
export type WaitExpired = DomainEvent<'WaitExpired', 1, { readonly waitId: WaitId; readonly step: Occurrence; readonly then: OnDeadline }>;
/** It waits no more; `rescheduled`: it is opened again with other times, in the same append, for the `reason` that a person gave. */
export type WaitWithdrawn = DomainEvent<
  'WaitWithdrawn',
  1,
  {
    readonly waitId: WaitId;
    readonly step: Occurrence;
    readonly because: 'run_ended' | 'branch' | 'rescheduled';
    readonly reason?: string;
  }
>;
/** The wait is older than its definition trusts its assumptions. It stays open, visibly. `asks`: the side review that what depends on it now waits for, too. */
export type WaitStale = DomainEvent<
  'WaitStale',
  1,
  { readonly waitId: WaitId; readonly step: Occurrence; readonly because: string; readonly asks?: Occurrence }
>;

export type WaitEvent = WaitOpened | WaitTriggered | WaitSatisfied | WaitExpired | WaitWithdrawn | WaitStale;
