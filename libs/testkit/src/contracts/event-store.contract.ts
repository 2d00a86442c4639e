import type { EventStore } from '@cairn/ports';
import type { ContractCase, Harness } from './contract.js';
import { appendCases } from './event-store/append-cases.js';
import { crashCases } from './event-store/crash-cases.js';
import { tailCases } from './event-store/tail-cases.js';
import { writerCases } from './event-store/writer-cases.js';

/** An event store in the hands of its spec. */
export interface EventStoreHarness extends Harness {
  /** The store, empty at first. */
  readonly store: EventStore;
  /** Another process's view of the same data, if the adapter can be shared; else the same store. */
  readonly another: () => Promise<EventStore>;
  /** The process of `store` dies without ceremony, whatever is under way; answers what its successor opens. */
  readonly crash: () => Promise<EventStore>;
}

/** The promises of `EventStore`. */
export const eventStoreContract: readonly ContractCase<EventStoreHarness>[] = [...appendCases, ...writerCases, ...crashCases, ...tailCases];
