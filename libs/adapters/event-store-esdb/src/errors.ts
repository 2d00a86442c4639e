import { ErrorType } from '@eventstore/db-client';
import { StoreFault } from '@cairn/ports';
import { isAccessDenied, refusalOf } from './refusals.js';

export { isAccessDenied };

/** gRPC's codes that are told apart here; errors of appends come without the client's `type` (facts of the client, 6.2.1). */
export const GRPC = { unknown: 2, invalidArgument: 3 } as const;

/** What grpc-js says of a call that found nobody to connect to: nothing of it has left this process. */
const NOT_CONNECTED = /No connection established|Name resolution failed|Failed to discover/i;

export function unavailable(what: string, cause?: unknown): StoreFault {
  return new StoreFault('store_unavailable', cause === undefined ? what : `${what}: ${sayingOf(cause)}`, { cause });
}

export function appendUnknown(what: string, cause?: unknown): StoreFault {
  return new StoreFault('append_unknown', cause === undefined ? what : `${what}: ${sayingOf(cause)}`, { cause });
}

/** Whether a call surely stored nothing: it never reached a server, or was refused at the door. */
export function isNeverBegun(error: unknown): boolean {
  return isAccessDenied(error) || (error instanceof Error && NOT_CONNECTED.test(error.message));
}

export function isNotFound(error: unknown): boolean {
  return typeOf(error) === ErrorType.STREAM_NOT_FOUND;
}

export function codeOf(error: unknown): number | undefined {
  return hasField(error, 'code') && typeof error.code === 'number' ? error.code : undefined;
}

/** One sentence for a person, without its end. */
export function sayingOf(error: unknown): string {
  return refusalOf(error).says;
}

function typeOf(error: unknown): string | undefined {
  return hasField(error, 'type') && typeof error.type === 'string' ? error.type : undefined;
}

function hasField<K extends string>(error: unknown, name: K): error is Record<K, unknown> {
  return typeof error === 'object' && error !== null && name in error;
}
