import type { ArtifactFault } from './artifacts.js';
import type { BusFault } from './bus.js';
import type { StoreFault } from './event-store.js';

export type Fault = StoreFault | BusFault | ArtifactFault;

type Codes = { readonly [C in Fault['code']]: true };
const CODES: Codes = {
  store_unavailable: true,
  append_unknown: true,
  append_too_large: true,
  stream_corrupt: true,
  bus_unavailable: true,
  ask_timeout: true,
  message_too_large: true,
  bad_subject: true,
  no_consumer: true,
  artifacts_unavailable: true,
  artifact_corrupt: true,
  artifact_too_large: true,
};

/** Whether infrastructure went wrong, as opposed to a bug. By the closed list of codes: a fault may come from another copy of its class. */
export function isFault(error: unknown): error is Fault {
  return (
    typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' && Object.hasOwn(CODES, error.code)
  );
}
