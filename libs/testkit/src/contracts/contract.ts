import { within } from '../wait-until.js';

/** One sentence of a port's promise, as something that can be tried on an adapter. */
export interface ContractCase<H extends Harness> {
  readonly name: string;
  readonly run: (harness: H) => Promise<void>;
}

/** What a spec must be able to do with its adapter beside calling the port. One for each case. */
export interface Harness {
  /** How long a case waits for something that must happen. */
  readonly patienceMs: number;
  readonly dispose: () => Promise<void>;
}

/** Above a case's own waits: a case that hangs fails. */
const CASE_PATIENCE = 3;

/** Tries one case on a fresh adapter. Rejects if the promise is broken, also by silence. */
export async function tryCase<H extends Harness>({ name, run }: ContractCase<H>, make: () => Promise<H>): Promise<void> {
  const harness = await make();
  try {
    await within(name, run(harness), harness.patienceMs * CASE_PATIENCE);
  } finally {
    await harness.dispose();
  }
}
