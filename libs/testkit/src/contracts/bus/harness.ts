import type { Bound, Bus } from '@cairn/ports';
import type { Harness } from '../contract.js';

/** A bus that has `contractStreams`, in the hands of its spec. */
export interface BusHarness extends Harness {
  readonly bus: Bus;
  /** The consumer's process dies: nothing that is under way there is ever settled. */
  readonly crash: (bound: Bound) => Promise<void>;
}
