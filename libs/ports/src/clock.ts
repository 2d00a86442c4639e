import type { EpochMs } from '@cairn/kernel';

/** The only source of time. Nothing decides by comparing two machines' wall clocks. */
export interface Clock {
  /** Wall clock, whole milliseconds. May jump either way. */
  now(): EpochMs;
  /** Milliseconds from an arbitrary start; never goes back. For leases, deadlines and lag. */
  monotonicMs(): number;
  /** Runs `task` once, not earlier than `delayMs` from now (monotonic), unless cancelled. A crash forgets it: what must fire is in the history. */
  after(delayMs: number, task: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Entropy for commands and message ids. Deciders get it inside the command. */
export interface Randomness {
  /** 128 fresh bits as 32 hex characters: nobody can guess it. */
  entropy(): string;
  /** Uniform in [0, 1). */
  fraction(): number;
}
