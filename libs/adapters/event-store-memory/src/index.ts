export { createMemoryEventStore, type MemoryEventStore } from './memory-event-store.js';
export type { AppendFault, StoreFaults, TailFault } from './faults.js';
