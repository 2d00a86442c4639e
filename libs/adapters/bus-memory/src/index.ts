export { createMemoryBus, DEAD_LETTERS_MAX, type MemoryBound, type MemoryBus, type MemoryBusOptions } from './memory-bus.js';
export type { BusFaults } from './bus-faults.js';
export { DEDUPE_IDS_MAX, RETAINED_MAX, type BusStreamSpec } from './bus-stream.js';
export { BUG_PAUSE_MS, FAULT_PAUSE_MS, WAITING_MAX, type DeadLetter } from './durable.js';
export { createMemoryLine, LINE_BYTES_MAX, type MemoryLine, type Switchboard, type SwitchboardOptions } from './memory-line.js';
