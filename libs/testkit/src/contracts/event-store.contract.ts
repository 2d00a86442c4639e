import type { ContractCase } from './contract.js';
import { appendCases } from './event-store/append-cases.js';
import { crashCases } from './event-store/crash-cases.js';
import type { EventStoreHarness } from './event-store/harness.js';
import { tailCases } from './event-store/tail-cases.js';
import { writerCases } from './event-store/writer-cases.js';

/** The promises of `EventStore`. */
export const eventStoreContract: readonly ContractCase<EventStoreHarness>[] = [...appendCases, ...writerCases, ...crashCases, ...tailCases];
