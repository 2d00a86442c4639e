import type { Line } from '@cairn/ports';
import type { Harness } from '../contract.js';

/** Processes that have a line each, in the hands of their spec. */
export interface LineHarness extends Harness {
  /** The line of one more process. */
  readonly line: () => Promise<Line>;
  /** `kill -9` of its process. */
  readonly die: (line: Line) => Promise<void>;
  /** Resolves when everybody hears what it listens to by now. */
  readonly heard: () => Promise<void>;
}
