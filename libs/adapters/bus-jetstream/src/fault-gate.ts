import type { Clock, Timer } from '@cairn/ports';

/** After a fault a consumer pauses so long; after each probe that fails twice as long, up to the maximum. */
export const PAUSE_MIN_MS = 250;
export const PAUSE_MAX_MS = 2_000;

export interface GateHooks {
  /** What the consumer works on is away: take nothing. */
  readonly pause: () => void;
  /** Take one message, to see. */
  readonly probe: () => void;
  readonly resume: () => void;
}

/** Faults are not poison: while store or bus are away the whole consumer pauses, and the first message after the pause is its probe. */
export class FaultGate {
  private state: 'open' | 'paused' | 'probing' = 'open';
  private pauseMs = PAUSE_MIN_MS;
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly hooks: GateHooks,
  ) {}

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get isProbing(): boolean {
    return this.state === 'probing';
  }

  /** How long a message that may not be worked on now is to stay away. */
  get holdMs(): number {
    return this.pauseMs;
  }

  trip(): void {
    if (this.state === 'paused') return;
    this.pauseMs = this.state === 'probing' ? Math.min(this.pauseMs * 2, PAUSE_MAX_MS) : PAUSE_MIN_MS;
    this.state = 'paused';
    this.hooks.pause();
    this.timer = this.clock.after(this.pauseMs, () => {
      this.state = 'probing';
      this.hooks.probe();
    });
  }

  /** Something was worked on, and nothing was away. */
  pass(): void {
    if (this.state !== 'probing') return;
    this.state = 'open';
    this.hooks.resume();
  }

  stop(): void {
    this.timer?.cancel();
  }
}
