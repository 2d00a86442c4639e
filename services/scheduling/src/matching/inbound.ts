import { HTTP_ACTOR } from '@cairn/contracts';
import type { InboundEvent } from '@cairn/domain-definition';
import type { WakingEvent } from '@cairn/domain-run';
import type { ReceiptState } from '@cairn/domain-schedule';
import type { Id, Json } from '@cairn/kernel';

/** An accepted event with its whole data at hand. */
export interface Inbound {
  readonly ns: string;
  readonly receiptId: Id;
  readonly receipt: ReceiptState;
  readonly data: Json;
}

/** Data up to here travels inside a command, so that execution need not load it: half of what a message may have. */
const LOADED_BYTES_MAX = 262_144;

/** What matching looks at. */
export function inboundEventOf({ receiptId, receipt: { event }, data }: Inbound): InboundEvent {
  const { source, id, type, key, time, callback, extensions } = event;
  return {
    receiptId,
    source,
    id,
    type,
    ...(key === undefined ? {} : { key }),
    ...(time === undefined ? {} : { time }),
    ...(callback === undefined ? {} : { callback: { waitId: callback.waitId, name: callback.name } }),
    data,
    extensions: extensions as { readonly [name: string]: Json },
  };
}

/** Who asked over HTTP, as the gateway knew him: it writes this attribute itself. Who publishes on the bus names nobody whom we know. */
export function actorOf({ via, extensions }: Inbound['receipt']['event']): string | undefined {
  const { cairnactor } = extensions;
  return via !== 'http' ? undefined : typeof cairnactor === 'string' ? cairnactor : HTTP_ACTOR;
}

/** What a run is woken with. */
export function wakingEventOf({ receiptId, receipt: { event, at }, data }: Inbound, kept: boolean): WakingEvent {
  const { source, id, type, key, time, callback, dataRef, extensions } = event;
  const loaded = dataRef !== undefined && dataRef.bytes <= LOADED_BYTES_MAX ? { loaded: data } : {};
  return {
    receiptId,
    source,
    id,
    type,
    at,
    kept,
    ...(key === undefined ? {} : { key }),
    ...(time === undefined ? {} : { time }),
    ...(callback === undefined ? {} : { callback: { waitId: callback.waitId, name: callback.name } }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions: extensions as { readonly [name: string]: Json } }),
    ...(dataRef === undefined ? { data } : { dataRef, ...loaded }),
  };
}
