import { handOverTypes } from '@cairn/contracts';
import { CLOCK_SKEW_MS, epochMsOf, instantOf, sealAppend, spanText, type ExpectedRevision, type StoredEvent } from '@cairn/kernel';
import type { EventStore, TailedEvent } from '@cairn/ports';
import { shownStore } from '@cairn/nest-kit/event-store';
import { openStore, storeOf, storeRefusal, type OpenStore } from '../bus/open-store.js';
import { EXIT, EXIT_CONFIG } from '../exit-codes.js';
import { Refusal } from '../refusal.js';
import { failed, ok, unreachable, unseen, type Finding } from './finding.js';
import { withPatience } from '../patience.js';
import { startCommand, type Patient } from './patient.js';

/** Grows by one event at each look. Nobody tails its type. */
const PROBE_STREAM = 'probe-doctor';
/** The bookmark of execution's relay. */
const RELAY_BOOKMARK = 'relay/execution';
/** Facts that are not told within this are late: the relay tells them at once, and writes its bookmark every second. */
const RELAY_LATE_MS = 10_000;
/** Events looked at behind the relay's bookmark. */
const BEHIND_MAX = 10_000;

/** Whether the event store keeps its promise, how far its facts have been told, and what its events say of our clock. */
export async function checkStore(patient: Patient): Promise<readonly Finding[]> {
  const { data, env } = patient;
  try {
    const opened = await openStore(data, env);
    if (opened === undefined)
      return [
        unseen(
          'event store',
          `there is no ${shownStore(storeOf(data, env))}: nothing is stored there yet, or another folder is meant (--data, CAIRN_DATA)`,
        ),
      ];
    try {
      return [await probe(opened), ...(await settings(opened)), ...(await behindRelay(opened.store, patient))];
    } finally {
      await opened.close();
    }
  } catch (error) {
    return [brokenStore(patient, error)];
  }
}

function brokenStore({ data, env }: Patient, error: unknown): Finding {
  if (error instanceof Refusal && error.exitCode === EXIT_CONFIG)
    return failed('event store', error.problem.detail, 'set CAIRN_EVENT_STORE anew');
  const refusal = error instanceof Refusal ? error : storeRefusal(storeOf(data, env), error);
  if (!(refusal instanceof Refusal)) throw error;
  const { problem, exitCode, next = 'check that the folder can be written and has space, then: npx cairn doctor' } = refusal;
  return (exitCode === EXIT.unreachable ? unreachable : failed)('event store', problem.detail, next);
}

/** What `cairn store apply` would change. */
async function settings({ esdb, shown }: OpenStore): Promise<readonly Finding[]> {
  if (esdb === undefined) return [];
  const differences = await esdb.differences();
  const seen = differences.filter(({ shown: isShown }) => isShown);
  const details = seen.map(({ subject, stream, is, wanted }) => `${subject} (${stream}): ${is} -> ${wanted}`);
  if (seen.length > 0) return [failed('store settings', `${seen.length} settings of ${shown} differ`, 'npx cairn store apply', details)];
  if (differences.length > 0)
    return [
      unseen(
        'store settings',
        `this user is not shown them; with the user of an admin in CAIRN_EVENT_STORE: npx cairn store apply --dry-run`,
      ),
    ];
  return [ok('store settings', 'rights and length of bookmarks are as they must be')];
}

/** Appends, reads it back, and is refused a second append at the same revision: all that correctness rests on. */
async function probe({ store, shown, esdb }: OpenStore): Promise<Finding> {
  const where = esdb === undefined ? shown : `${shown}, EventStoreDB ${await esdb.serverVersion()}`;
  const broken = (says: string): Finding => failed('event store', `${where}: ${says}`, 'restore it from a backup, then: npx cairn doctor');
  let expected: ExpectedRevision = 'no_stream';
  let prevHash = '';
  for (;;) {
    const event = sealed(expected, prevHash, 1);
    const result = await store.append(PROBE_STREAM, expected, [event]);
    if (result.kind === 'appended') {
      const [read] = await store.read(PROBE_STREAM, event.revision, event.revision);
      if (read?.eventId !== event.eventId) return broken('what was appended is not read back');
      const second = await store.append(PROBE_STREAM, expected, [sealed(expected, prevHash, 2)]);
      if (second.kind !== 'conflict') return broken('a second append at the same revision was not refused');
      return ok('event store', `${where}: appended, read back, refused a second append at revision ${event.revision}`);
    }
    if (result.actual === expected) return broken(`refuses an append at revision ${String(expected)}, which is its last`);
    expected = result.actual;
    const last = expected === 'no_stream' ? undefined : (await store.read(PROBE_STREAM, expected, expected))[0];
    prevHash = last?.metadata.hash ?? '';
  }
}

function sealed(expected: ExpectedRevision, prevHash: string, attempt: number): StoredEvent {
  const at = instantOf(Date.now());
  const context = { stream: PROBE_STREAM, expected, prevHash, ns: 'default', at, actor: 'user:doctor', causationId: 'doctor' };
  return sealAppend(context, [{ type: 'StoreProbed', version: 1, data: { pid: process.pid, attempt } }])[0]!;
}

async function behindRelay(store: EventStore, patient: Patient): Promise<readonly Finding[]> {
  const bookmark = await store.readBookmark(RELAY_BOOKMARK);
  const behind = await withPatience('the events behind the relay', eventsAfter(store, bookmark ?? 'start'));
  const facts = new Set<string>(handOverTypes);
  const untold = behind.filter(({ event }) => facts.has(event.type) && event.stream.startsWith('run-'));
  const now = Date.now();
  const oldest = untold[0];
  const lagMs = oldest === undefined ? 0 : Math.max(0, now - epochMsOf(oldest.event.at));
  const lag =
    lagMs > RELAY_LATE_MS
      ? failed('relay', `${untold.length} facts are untold, the oldest for ${spanText(lagMs)}`, startCommand(patient))
      : ok('relay', untold.length === 0 ? 'every fact was told' : `${untold.length} facts are on their way`);
  const newest = Math.max(0, ...behind.map(({ event }) => epochMsOf(event.at)));
  const aheadMs = newest - now;
  const clock =
    aheadMs > CLOCK_SKEW_MS
      ? failed('clock, store', `the newest events were written ${spanText(aheadMs)} in our future`, 'chronyc makestep')
      : ok('clock, store', 'no event is in our future');
  return [lag, clock];
}

/** Of all streams, up to now or to the limit. */
async function eventsAfter(store: EventStore, position: string): Promise<readonly TailedEvent[]> {
  const behind: TailedEvent[] = [];
  let stop = (): Promise<void> => Promise.resolve();
  try {
    await new Promise<void>((resolve, reject) => {
      const tail = store.tail('all', position, {
        deliver: (events) => {
          behind.push(...events);
          if (behind.length >= BEHIND_MAX) resolve();
        },
        caughtUp: resolve,
        onFault: reject,
      });
      stop = () => tail.stop();
    });
  } finally {
    await stop();
  }
  return behind;
}
