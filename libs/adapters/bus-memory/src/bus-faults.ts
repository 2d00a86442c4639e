/** How this bus misbehaves on request: chances from 0 to 1 for each message, drawn from the bus's randomness, so a seed repeats exactly. */
export interface BusFaults {
  /** `publish` throws `bus_unavailable`; the message is not there. */
  readonly refuse?: number;
  /** Taken, then lost. */
  readonly drop?: number;
  /** Taken twice. */
  readonly duplicate?: number;
  /** Comes later, up to `maxDelayMs`, mostly much less. */
  readonly delay?: number;
  readonly maxDelayMs?: number;
  /** Overtakes messages that wait for its consumer at that moment. */
  readonly reorder?: number;
  /** Settled `done`, but the bus never learns of it: delivered again. */
  readonly loseSettlement?: number;
  /** The answer to an `ask` gets lost. */
  readonly loseAnswer?: number;
}

/** Most delays are short, few come near the maximum. */
export const delayOf = (maxDelayMs: number, fraction: number): number => Math.ceil(maxDelayMs * fraction ** 3);
