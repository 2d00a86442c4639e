import { metricNames } from '@cairn/contracts';
import { isFault, type Bus, type Clock, type EventStore, type Metrics } from '@cairn/ports';

const MS_PER_S = 1_000;

/** The store, telling how long each append took and how it ended (`experience.md` §2.2). */
export function measuredStore(store: EventStore, service: string, clock: Clock, metrics: Metrics): EventStore {
  return {
    append: async (stream, expected, events) => {
      const began = clock.monotonicMs();
      const tell = (outcome: string): void =>
        metrics.observe(metricNames.appendDuration, (clock.monotonicMs() - began) / MS_PER_S, { service, outcome });
      try {
        const result = await store.append(stream, expected, events);
        tell(result.kind);
        return result;
      } catch (error) {
        tell(isFault(error) && error.code === 'append_unknown' ? 'unknown' : 'refused');
        throw error;
      }
    },
    read: (stream, from, to) => store.read(stream, from, to),
    tail: (types, after, reader) => store.tail(types, after, reader),
    newest: () => store.newest(),
    readBookmark: (name) => store.readBookmark(name),
    writeBookmark: (name, value) => store.writeBookmark(name, value),
    close: () => store.close(),
  };
}

/** The bus, counting what became of each delivery. What a fault or a bug makes of one is `again`. */
export function measuredBus(bus: Bus, metrics: Metrics): Bus {
  return {
    publish: (message) => bus.publish(message),
    ask: (message, deadlineMs) => bus.ask(message, deadlineMs),
    consume: (spec, handle, rank) => {
      const consumer = spec.durable.replace(/-\d+$/, ''); // The partitions of one consumer are one label.
      return bus.consume(
        spec,
        async (message) => {
          try {
            const settlement = await handle(message);
            metrics.count(metricNames.deliveries, { consumer, settlement: settlement.kind });
            return settlement;
          } catch (error) {
            metrics.count(metricNames.deliveries, { consumer, settlement: 'again' });
            throw error;
          }
        },
        rank,
      );
    },
    close: () => bus.close(),
  };
}
