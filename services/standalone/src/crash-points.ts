import { parseRunStream } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';

/** `before-append:7` or `after-append:7`. */
const CRASH_POINT = /^(before|after)-append:(\d{1,6})$/;

/**
 * For tests that really kill: with `CAIRN_CRASH_AT=after-append:7` and `NODE_ENV=test` this process ends by SIGKILL at the append that
 * holds revision 7 of a run that it started itself, before the store is asked or after the append is durable and before anybody
 * is told. Anything else leaves the store as it is.
 */
export function withCrashPoint(store: EventStore, env: NodeJS.ProcessEnv): EventStore {
  const match = env['NODE_ENV'] === 'test' ? CRASH_POINT.exec(env['CAIRN_CRASH_AT'] ?? '') : null;
  if (match === null) return store;
  const [, when, revision] = match;
  const own = new Set<string>();
  return {
    append: async (stream, expected, events) => {
      if (parseRunStream(stream) !== undefined && expected === 'no_stream') own.add(stream);
      const hit = own.has(stream) && events.some((event) => event.revision === Number(revision));
      if (hit && when === 'before') die();
      const result = await store.append(stream, expected, events);
      if (hit && result.kind === 'appended') die();
      return result;
    },
    read: (stream, from, to) => store.read(stream, from, to),
    tail: (types, after, reader) => store.tail(types, after, reader),
    newest: () => store.newest(),
    readBookmark: (name) => store.readBookmark(name),
    writeBookmark: (name, value) => store.writeBookmark(name, value),
    close: () => store.close(),
  };
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // The signal is on its way; not one more instruction of ours may count.
}
