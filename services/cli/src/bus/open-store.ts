import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  eventStoreIn,
  eventStoreNamed,
  openEventStore,
  refusalOf,
  shownStore,
  type EventStoreName,
  type OpenedEventStore,
  type RefusalKind,
} from '@cairn/nest-kit/event-store';
import { isFault } from '@cairn/ports';
import { EXIT, EXIT_CONFIG } from '../exit-codes.js';
import { problem, Refusal } from '../refusal.js';

/** The event store of a data folder, opened beside the services that use it. */
export interface OpenStore extends OpenedEventStore {
  /** Where it is, without credentials. */
  readonly shown: string;
}

/** Which store the services of a data folder use: the one that is named, or that `<data>/server.json` names, or its file. Throws a `Refusal` for a name that is none. */
export function storeOf(data: string, env: NodeJS.ProcessEnv): EventStoreName {
  const named = env['CAIRN_EVENT_STORE'] ?? '';
  if (named === '') return serverStore(data) ?? eventStoreIn(data);
  try {
    return eventStoreNamed(named);
  } catch (error) {
    throw notConfigured((error as Error).message);
  }
}

/** What the gateway that serves the folder has said. */
function serverStore(data: string): EventStoreName | undefined {
  try {
    const { eventStore } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as { readonly eventStore?: string };
    return eventStore === undefined ? undefined : eventStoreNamed(eventStore);
  } catch {
    return undefined; // Nobody serves it, or the file is just being written.
  }
}

/** `undefined` where nothing was ever stored: a command that looks never makes a file. Throws a `Refusal` if it cannot be opened. */
export async function openStore(data: string, env: NodeJS.ProcessEnv): Promise<OpenStore | undefined> {
  const name = storeOf(data, env);
  if (name.kind === 'libsql' && !existsSync(name.file)) return undefined;
  return openNamed(name, data);
}

/** Throws a `Refusal`. */
export async function openNamed(name: EventStoreName, data: string): Promise<OpenStore> {
  const { systemClock, systemRandomness } = await import('@cairn/system');
  try {
    return { ...(await openEventStore(name, data, { clock: systemClock, randomness: systemRandomness })), shown: shownStore(name) };
  } catch (error) {
    if (name.kind === 'libsql' || isFault(error)) throw storeRefusal(name, error);
    // Nothing was asked yet: it is the address that cannot be right, as with a file of certificates that is not there.
    throw notConfigured((error as Error).message);
  }
}

const notConfigured = (says: string): Refusal => new Refusal(problem('config_invalid', 400, `CAIRN_EVENT_STORE: ${says}.`), EXIT_CONFIG);

/** What a store's fault is to whoever asked. Anything else is given back. */
export function storeRefusal(name: EventStoreName, error: unknown): unknown {
  const { code, message = String(error) } = error as { readonly code?: unknown; readonly message?: string };
  if (name.kind === 'libsql') return new Refusal(problem('store_unavailable', 503, `${message}.`), EXIT.failed);
  if (code !== 'store_unavailable' && code !== 'append_unknown') return error;
  const { kind } = refusalOf(error);
  const { exitCode, next } = MENDS[kind];
  return new Refusal(problem('store_unavailable', 503, `${name.shown}: ${message}.`), exitCode, next);
}

const ANEW = 'set CAIRN_EVENT_STORE anew, then: npx cairn doctor';

/** Somebody who answers and refuses is not away. */
const MENDS: Readonly<Record<RefusalKind, { readonly exitCode: number; readonly next: string }>> = {
  away: { exitCode: EXIT.unreachable, next: 'start the EventStoreDB, or give CAIRN_EVENT_STORE the right address, then: npx cairn doctor' },
  address: { exitCode: EXIT.unreachable, next: ANEW },
  user: { exitCode: EXIT.failed, next: ANEW },
  rights: { exitCode: EXIT.failed, next: 'with the user of an admin in CAIRN_EVENT_STORE: npx cairn store apply' },
};
