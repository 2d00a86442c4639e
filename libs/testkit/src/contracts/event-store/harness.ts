import type { EventStore } from '@cairn/ports';
import type { Harness } from '../contract.js';

/** An event store in the hands of its spec. */
export interface EventStoreHarness extends Harness {
  /** The store, empty at first. */
  readonly store: EventStore;
  /** Another process's view of the same data, if the adapter can be shared; else the same store. */
  readonly another: () => Promise<EventStore>;
  /** The process of `store` dies without ceremony, whatever is under way; answers what its successor opens. */
  readonly crash: () => Promise<EventStore>;
}
