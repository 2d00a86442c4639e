import { categoryOf, idOf, idOfStream, type StoredEvent, type StreamName } from '@cairn/kernel';
import type { EventStore, Position } from '@cairn/ports';

/**
 * A store of its own for one case on a server that has had others: names of streams and bookmarks get a word that no other case has,
 * ids follow the names, since a server remembers an id with the stream in which it saw it first, and the log begins where it ended
 * when the case began. Everything else goes through untouched. Views of one case share `ids`.
 */
export function isolated(store: EventStore, word: string, begin: Position | undefined, ids: Map<string, string>): EventStore {
  const outer = (stream: StreamName): StreamName => `${categoryOf(stream)}-${word}${idOfStream(stream)}`;
  const moved = (event: StoredEvent): StoredEvent => {
    const eventId = idOf('event', word, event.eventId);
    ids.set(eventId, event.eventId);
    return {
      ...event,
      stream: outer(event.stream),
      eventId,
      metadata: { ...event.metadata, eventId: event.metadata.eventId === event.eventId ? eventId : '' },
    };
  };
  const back = (event: StoredEvent): StoredEvent => {
    const eventId = ids.get(event.eventId) ?? event.eventId;
    return { ...event, stream: event.stream.replace(`-${word}`, '-'), eventId, metadata: { ...event.metadata, eventId } };
  };
  return {
    append: async (stream, expected, events) =>
      store.append(outer(stream), expected, misplaced(stream, events) ? events : events.map(moved)),
    read: async (stream, from, to) => (await store.read(outer(stream), from, to)).map(back),
    tail: (types, after, reader) =>
      store.tail(types, after === 'start' ? (begin ?? 'start') : after, {
        ...reader,
        deliver: async (events) => {
          const own = events.filter(({ event }) => event.stream.includes(`-${word}`));
          if (own.length > 0) await reader.deliver(own.map(({ event, position }) => ({ event: back(event), position })));
        },
      }),
    newest: async () => {
      const newest = await store.newest();
      return newest === begin ? undefined : newest;
    },
    readBookmark: (name) => store.readBookmark(`${word}${name}`),
    writeBookmark: (name, value) => store.writeBookmark(`${word}${name}`, value),
    close: () => store.close(),
  };
}

/** What the store must refuse keeps the name that makes it refuse. */
const misplaced = (stream: StreamName, events: readonly StoredEvent[]): boolean => events.some((event) => event.stream !== stream);
