import type { ContractCase } from './contract.js';
import { askingCases } from './line/asking-cases.js';
import type { LineHarness } from './line/harness.js';
import { leavingCases } from './line/leaving-cases.js';
import { tellingCases } from './line/telling-cases.js';

/** The promises of `Line`. Of what was said while nobody listened there is none. */
export const lineContract: readonly ContractCase<LineHarness>[] = [...tellingCases, ...askingCases, ...leavingCases];
