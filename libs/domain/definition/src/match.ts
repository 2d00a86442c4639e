import { isName, withoutVersion, type Json } from '@cairn/kernel';
import { BoundedCache } from './bounded-cache.js';
import { compileValue, conditionOf, type CompiledValue } from './cel.js';
import { editDistanceWithin } from './edit-distance.js';

/** An event from outside, as its receipt holds it. `key` is `cairnkey`, else the CloudEvents subject. */
export interface InboundEvent {
  readonly receiptId: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly key?: string;
  readonly time?: string;
  readonly data: Json;
  /** It came by a callback's link. Never by an event's own type: who may publish events has no link by that. */
  readonly callback?: CallbackUsed;
  /** CloudEvents extension attributes. */
  readonly extensions: { readonly [name: string]: Json };
}

/** The link that was used: which wait it is for, and which of its callbacks. */
export interface CallbackUsed {
  readonly waitId: string;
  readonly name: string;
}

/** A trigger as `WaitOpened` stores it: keys are evaluated, instants absolute. */
export type StoredTrigger =
  | { readonly kind: 'event'; readonly type: string; readonly key?: string; readonly where?: string; readonly from?: readonly string[] }
  | { readonly kind: 'signal'; readonly name: string }
  | { readonly kind: 'callback'; readonly name: string }
  | { readonly kind: 'timer' };

/** Clause ids of a continuation contract that an event alone can break (`capabilities.md` §3.2). */
export type MatchClause = 'trigger' | 'key' | 'sender' | 'where';

/** `near`: the right type, and exactly one further clause failed; kept as a near miss, so that an operator sees why nothing woke. */
export type Match =
  | { readonly kind: 'match' }
  | { readonly kind: 'no'; readonly clause: MatchClause; readonly expected: Json; readonly got: Json; readonly near: boolean };

/** A key is near within so many typing mistakes, whatever its case. */
const NEAR_KEY_DISTANCE = 2;
/** What a near miss shows of an event: values of so many fields, so many characters each. Receipts are not copies. */
const SHOWN_FIELDS_MAX = 5;
const SHOWN_CHARACTERS_MAX = 100;

const SIGNAL_PREFIX = 'cairn.run.signal.';

/** The type of the event that a signal is; its key is the run. The name stands in the type, so that kept signals are found by it. */
export function signalType(name: string): string {
  if (!isName(name)) throw new RangeError('signalType: not a name');
  return `${SIGNAL_PREFIX}${name}.v1`;
}

const CALLBACK_PREFIX = 'cairn.run.callback.';

/** The type of the event that the use of a link is; its key is the wait. */
export function callbackType(name: string): string {
  if (!isName(name)) throw new RangeError('callbackType: not a name');
  return `${CALLBACK_PREFIX}${name}.v1`;
}

/** Whether an event is what a trigger waits for. Which wait a link is for, the caller looks at. Pure; an expression that fails is "no match", with its error as what was got. */
export function matchTrigger(trigger: StoredTrigger, event: InboundEvent): Match {
  switch (trigger.kind) {
    case 'timer':
      return no('trigger', 'a time', event.type, false);
    case 'signal': {
      const expected = `${SIGNAL_PREFIX}${trigger.name}`;
      return withoutVersion(event.type) === expected ? { kind: 'match' } : no('trigger', expected, event.type, false);
    }
    case 'callback':
      if (event.callback?.name === trigger.name) return { kind: 'match' };
      return no('trigger', `callback ${trigger.name}`, event.type, false);
    case 'event': {
      if (!isSameType(trigger.type, event.type)) return no('trigger', trigger.type, event.type, false);
      const failures = [keyFailure(trigger.key, event), senderFailure(trigger.from, event), whereFailure(trigger.where, event)].filter(
        (failure) => failure !== undefined,
      );
      const [first] = failures;
      if (first === undefined) return { kind: 'match' };
      return failures.length === 1 ? first : { ...first, near: false };
    }
  }
}

/** Types are compared without their `.v<n>` unless the trigger names a version. */
function isSameType(wanted: string, got: string): boolean {
  return wanted === got || wanted === withoutVersion(got);
}

type No = Extract<Match, { kind: 'no' }>;

const no = (clause: MatchClause, expected: Json, got: Json, near: boolean): No => ({ kind: 'no', clause, expected, got, near });

function keyFailure(wanted: string | undefined, event: InboundEvent): No | undefined {
  if (wanted === undefined || wanted === event.key) return undefined;
  const near = event.key !== undefined && editDistanceWithin(wanted.toLowerCase(), event.key.toLowerCase(), NEAR_KEY_DISTANCE);
  return no('key', wanted, event.key ?? null, near);
}

function senderFailure(senders: readonly string[] | undefined, event: InboundEvent): No | undefined {
  return senders === undefined || senders.includes(event.source) ? undefined : no('sender', senders, event.source, true);
}

const conditions = new BoundedCache<CompiledValue>();

function whereFailure(source: string | undefined, event: InboundEvent): No | undefined {
  if (source === undefined) return undefined;
  const compiled = conditions.getOrMake(source, () => compileValue(source, ['event']));
  if (!compiled.ok) return no('where', source, compiled.says, true);
  const scope = eventScope(event);
  const result = conditionOf(compiled.expression).evaluate({ event: scope });
  if (!result.ok) return no('where', source, result.error, true);
  if (result.value) return undefined;
  const paths = compiled.expression.accesses.filter(({ root }) => root === 'event').map(({ path }) => path);
  return no('where', source, shownFields(scope, paths), true);
}

/** What expressions see as `event`: the CloudEvents attributes, extensions among them, `key` and `data`. */
export function eventScope(event: InboundEvent): { readonly [name: string]: Json } {
  return {
    ...event.extensions,
    source: event.source,
    id: event.id,
    type: event.type,
    ...(event.key === undefined ? {} : { key: event.key }),
    ...(event.time === undefined ? {} : { time: event.time }),
    data: event.data,
  };
}

/** The fields that a condition looked at, as the event has them. */
function shownFields(scope: { readonly [name: string]: Json }, paths: readonly (readonly string[])[]): Json {
  const shown = paths.slice(0, SHOWN_FIELDS_MAX).map((path) => [['event', ...path].join('.'), shownValue(fieldAt(scope, path))]);
  return Object.fromEntries(shown) as Json;
}

function fieldAt(value: Json, path: readonly string[]): Json {
  let found: Json = value;
  for (const field of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, field)) return null;
    found = (found as { readonly [name: string]: Json })[field] ?? null;
  }
  return found;
}

function shownValue(value: Json): Json {
  if (typeof value === 'string') return value.slice(0, SHOWN_CHARACTERS_MAX);
  return typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'a list' : 'an object') : value;
}
