import type { ContractCase } from './contract.js';
import { askCases } from './bus/ask-cases.js';
import { deliveryCases } from './bus/delivery-cases.js';
import type { BusHarness } from './bus/harness.js';
import { expiryCases } from './bus/expiry-cases.js';
import { settlementCases } from './bus/settlement-cases.js';

/** The bus streams that an adapter must be given for the contract, as data. */
export const contractStreams = [
  { name: 'CONTRACT_FACTS', subjects: ['contract.fact.>'], retention: 'limits' },
  { name: 'CONTRACT_WORK', subjects: ['contract.work.*'], retention: 'work_queue', messageTtl: true },
] as const;

/** The promises of `Bus`. None is about durability: it has none. */
export const busContract: readonly ContractCase<BusHarness>[] = [...deliveryCases, ...settlementCases, ...askCases, ...expiryCases];
