import type { EventStore } from '@cairn/ports';
import type { Reached } from './trap.js';

/** The store, telling before and after each append, and after each bookmark of a relay. */
export function storeWithCrashPoints(store: EventStore, reached: Reached): EventStore {
  return {
    append: async (stream, expected, events) => {
      reached('before-append');
      const result = await store.append(stream, expected, events);
      if (result.kind === 'appended') reached('after-append');
      return result;
    },
    read: (stream, from, to) => store.read(stream, from, to),
    tail: (types, after, reader) => store.tail(types, after, reader),
    newest: () => store.newest(),
    readBookmark: (name) => store.readBookmark(name),
    writeBookmark: async (name, value) => {
      await store.writeBookmark(name, value);
      if (name.startsWith('relay/')) reached('relay-bookmarked');
    },
    close: () => store.close(),
  };
}
