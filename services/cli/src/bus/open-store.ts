import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  eventStoreIn,
  eventStoreNamed,
  openEventStore,
  shownStore,
  type EventStoreName,
  type OpenedEventStore,
} from '@cairn/nest-kit/event-store';
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
    throw new Refusal(problem('config_invalid', 400, `CAIRN_EVENT_STORE: ${(error as Error).message}.`), EXIT_CONFIG);
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
  const { systemClock, systemRandomness } = await import('@cairn/system');
  try {
    return { ...(await openEventStore(name, data, { clock: systemClock, randomness: systemRandomness })), shown: shownStore(name) };
  } catch (error) {
    throw storeRefusal(name, error);
  }
}

/** What a store's fault is to whoever asked. Anything else is given back. */
export function storeRefusal(name: EventStoreName, error: unknown): unknown {
  const { code, message = String(error) } = error as { readonly code?: unknown; readonly message?: string };
  if (name.kind === 'libsql') return new Refusal(problem('store_unavailable', 503, `${message}.`), EXIT.failed);
  if (code !== 'store_unavailable' && code !== 'append_unknown') return error;
  return new Refusal(
    problem('store_unavailable', 503, `${name.shown}: ${message}.`),
    EXIT.unreachable,
    'start the EventStoreDB, or give CAIRN_EVENT_STORE the right address, then: npx cairn doctor',
  );
}
