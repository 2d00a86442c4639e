import { canon, sha256Hex, type Json } from '@cairn/kernel';
import type { EventCallback, EventControl, EventTarget } from './events.js';

/**
 * SHA-256 of what an event means. A sender that repeats itself may stamp another time or trace context, so `time` and extensions
 * do not count; type, subject, key, schema, target, control and data do. Of a link not even its data does: it is used once, and who uses it
 * again is answered as the first one was (B-30).
 */
export function bodyDigestOf(event: {
  readonly type: string;
  readonly subject?: string;
  readonly key?: string;
  readonly dataschema?: string;
  readonly target?: EventTarget;
  readonly control?: EventControl;
  readonly callback?: EventCallback;
  readonly data?: Json;
}): string {
  const { type, subject, key, dataschema, target, control, callback } = event;
  const data = callback === undefined ? event.data : undefined;
  return sha256Hex(canon({ type, subject, key, dataschema, target, control, callback, data }));
}

/** An event's key: `cairnkey`, else CloudEvents `subject`, else none (`architecture.md` §4.6). */
export function keyOf(event: { readonly cairnkey?: string; readonly subject?: string }): string | undefined {
  return event.cairnkey ?? event.subject;
}
