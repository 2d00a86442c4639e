import { controlType, parseInboundSubject, type InboundSubject } from '@cairn/contracts';
import { callbackType, signalType } from '@cairn/domain-definition';
import { keyOf, type EventReceived, type EventTarget, type Problem } from '@cairn/domain-schedule';
import { isEventType, isExternalId, isKey, isNamespace, withoutVersion, type FieldError, type Json, type JsonObject } from '@cairn/kernel';
import { checkAttributes, extensionsOf, hopsOf, isTime } from './check-attributes.js';
import { faultOfData } from './check-data.js';

/** Emits that may follow from one another before we call it a loop (`capabilities.md` §3.2). */
export const HOPS_MAX = 16;
/** What an event is called on its receipt that has no type of its own, on a subject that gives it none. */
const NO_TYPE = 'untyped';

/** An event from outside that may be accepted. What it does is not known yet. */
export interface ParsedEvent {
  readonly ns: string;
  readonly event: Omit<EventReceived['data'], 'receiptId' | 'bodyDigest' | 'via' | 'data' | 'dataRef'>;
  readonly data: Json | undefined;
  /** It is what it should not be: accepted, and refused on its receipt. */
  readonly refusal?: Problem;
}

export type Parsed = { readonly ok: true; readonly parsed: ParsedEvent } | { readonly ok: false; readonly errors: readonly FieldError[] };

/**
 * Reads a CloudEvent in structured JSON from the subject it came on. Everything that is wrong is told at once: on its receipt, which needs
 * no more than a namespace, a source and an id; without them there is none that its sender could look for.
 */
export function parseEvent(subject: string, body: JsonObject): Parsed {
  const place = parseInboundSubject(subject);
  const errors = checkAttributes(body);
  if (place === undefined)
    errors.unshift({ pointer: '', rule: 'subject', says: `nothing is taken in on ${subject.slice(0, 120).toWellFormed()}` });
  const [root, ns] = subject.split('.');
  const { source, id } = body;
  if (root !== 'cairn' || !isNamespace(ns) || !isExternalId(source) || !isExternalId(id)) return { ok: false, errors };

  const refusal =
    errors.length > 0
      ? problemOf('event_invalid', ...errors)
      : (misplaced(place, body) ?? elsewhere(ns, body) ?? tooManyHops(hopsOf(body)));
  const target = targetOf(place);
  const event = {
    source,
    id,
    ...named(place, body),
    ...only('subject', body, isExternalId),
    ...only('time', body, isTime),
    ...only('dataschema', body, isExternalId),
    ...(target === undefined ? {} : { target }),
    ...(place?.kind === 'callback' ? { callback: { runId: place.runId, waitId: place.waitId, name: place.callback } } : {}),
    ...(place?.kind === 'control' ? { control: { runId: place.runId, verb: place.verb } } : {}),
    extensions: extensionsOf(body),
  };
  const { data } = body;
  const kept = errors.length > 0 && faultOfData(data) !== undefined ? undefined : data;
  return { ok: true, parsed: { ns, event, data: kept, ...(refusal === undefined ? {} : { refusal }) } };
}

/** Type and key of the event. What is sent to one run is named by its subject, whatever its sender calls it. */
function named(place: InboundSubject | undefined, body: JsonObject): { readonly type: string; readonly key?: string } {
  switch (place?.kind) {
    case 'signal':
      return { type: signalType(place.signal), key: place.runId };
    case 'callback':
      return { type: callbackType(place.callback), key: place.waitId };
    case 'control':
      return { type: controlType(place.verb), key: place.runId };
    default: {
      const type = isEventType(body['type']) ? body['type'] : place?.kind === 'event' ? place.type : NO_TYPE;
      // A subject that is too long for a key, or holds what a key may not, is no key.
      const key = keyOf({ ...only('cairnkey', body, isKey), ...only('subject', body, isKey) });
      return { type, ...(key === undefined ? {} : { key }) };
    }
  }
}

function targetOf(place: InboundSubject | undefined): EventTarget | undefined {
  switch (place?.kind) {
    case undefined:
    case 'event':
    case 'callback':
    case 'control':
      return undefined;
    case 'start':
      return { kind: 'start', workflow: place.workflow };
    case 'signal':
      return { kind: 'signal', runId: place.runId, name: place.signal };
  }
}

/** Runs that start each other in a circle end here. */
export const tooManyHops = (hops: number): Problem | undefined =>
  hops <= HOPS_MAX
    ? undefined
    : problemOf('hops_exceeded', { pointer: '/cairnhops', rule: 'hops', says: `at most ${HOPS_MAX} emits may follow from one another` });

function misplaced(place: InboundSubject | undefined, { type }: JsonObject): Problem | undefined {
  if (place?.kind !== 'event' || typeof type !== 'string' || type === place.type || withoutVersion(type) === place.type) return undefined;
  const says = `the type without its version must be ${place.type}, the end of the subject`;
  return problemOf('subject_mismatch', { pointer: '/type', rule: 'subject', says });
}

function elsewhere(ns: string, { cairnns }: JsonObject): Problem | undefined {
  if (cairnns === undefined || cairnns === ns) return undefined;
  return problemOf('subject_mismatch', { pointer: '/cairnns', rule: 'namespace_mismatch', says: 'must be the namespace of the subject' });
}

export const problemOf = (code: string, ...errors: readonly FieldError[]): Problem => ({ code, detail: errors[0]?.says ?? code, errors });

/** An attribute that is as it must be, or nothing. */
function only(name: string, body: JsonObject, holds: (value: unknown) => boolean): { readonly [name: string]: string } {
  const value = body[name];
  return typeof value === 'string' && holds(value) ? { [name]: value } : {};
}
