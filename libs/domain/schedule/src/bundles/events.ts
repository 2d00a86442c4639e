import type { DomainEvent, Id, Instant, JsonObject, Revision } from '@cairn/kernel';
import type { DataRef } from '../receipts/events.js';

/** A run of another store is shown here from now on, as its bundle tells it (U-19). The newest of `bundle-<runId>` counts. */
export type BundleImported = DomainEvent<
  'BundleImported',
  1,
  {
    readonly runId: Id;
    readonly ns: string;
    /** The bundle's bytes. */
    readonly bundle: DataRef;
    readonly lines: number;
    /** Of its last line. */
    readonly hash: string;
    /** What lists show; everything else is read from the bundle. */
    readonly run: {
      readonly workflow: string;
      readonly version: string;
      readonly key?: string;
      readonly goal: string | null;
      readonly attributes: JsonObject;
      readonly state: string;
      readonly sub: string | null;
      readonly head: string;
      readonly revision: Revision;
      readonly since: Instant;
      readonly startedAt: Instant;
      readonly endedAt?: Instant;
    };
  }
>;

export type BundleEvent = BundleImported;
