import { isFault, type Clock, type Metrics, type Timer } from '@cairn/ports';

/** How long something forgotten may lie before it is rung again (`architecture.md` §4.3). */
export const SWEEP_INTERVAL_MS = 5_000;

export interface SweepLoopOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Label of the metrics: the service. */
  readonly name: string;
  readonly sweep: () => Promise<void>;
  readonly intervalMs?: number;
}

/**
 * Walks a service's working set again and again, one walk at a time: the next begins one interval after the last has ended.
 * What a walk throws is counted, as a fault or as a bug, and changes nothing about the next one.
 */
export class SweepLoop {
  private timer: Timer | undefined;
  private walking: Promise<void> | undefined;
  private again = false;
  private running = false;

  constructor(private readonly options: SweepLoopOptions) {}

  start(): void {
    if (this.running) return;
    this.running = true;
    this.schedule();
  }

  /** Walks now. While a walk is under way one more follows it at once, however often this was called. */
  sweepNow(): void {
    if (!this.running) return;
    if (this.walking !== undefined) this.again = true;
    else this.begin();
  }

  /** Begins no more walks; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.running = false;
    this.timer?.cancel();
    await this.walking;
  }

  private schedule(): void {
    this.timer = this.options.clock.after(this.options.intervalMs ?? SWEEP_INTERVAL_MS, () => {
      this.timer = undefined;
      if (this.running && this.walking === undefined) this.begin();
    });
  }

  private begin(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.walking = this.walk();
  }

  private async walk(): Promise<void> {
    const { metrics, name, sweep } = this.options;
    try {
      do {
        this.again = false;
        await sweep();
      } while (this.again && this.running);
    } catch (error) {
      metrics.count('cairn_sweep_errors_total', { service: name, kind: isFault(error) ? 'fault' : 'bug' });
    } finally {
      this.walking = undefined;
      if (this.running) this.schedule();
    }
  }
}
