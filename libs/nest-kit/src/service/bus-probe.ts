import { metricNames } from '@cairn/contracts';
import type { Clock, Line, Metrics, Timer } from '@cairn/ports';

/** Between two probes (`experience.md` §2.2). */
const PROBE_INTERVAL_MS = 10_000;
/** A probe that is not back within this has failed (W-6). */
const PROBE_DEADLINE_MS = 2_000;
const MS_PER_S = 1_000;

/** Health is a message that comes back, not a connection that stands (W-6). */
export class BusProbe {
  private timer: Timer | undefined;
  private failed: string | undefined;
  private stopped = false;

  constructor(
    private readonly line: Line,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly service: string,
  ) {
    void this.probe();
  }

  /** Why the bus is not ready, or `undefined`. */
  says(): string | undefined {
    return this.failed;
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private async probe(): Promise<void> {
    const began = this.clock.monotonicMs();
    this.failed = (await this.comesBack()) ? undefined : 'a message to the bus does not come back';
    if (this.stopped) return;
    if (this.failed === undefined)
      this.metrics.observe(metricNames.busProbe, (this.clock.monotonicMs() - began) / MS_PER_S, { service: this.service });
    // While it is away it is asked more often: readiness comes back with it.
    this.timer = this.clock.after(this.failed === undefined ? PROBE_INTERVAL_MS : PROBE_DEADLINE_MS, () => void this.probe());
  }

  private async comesBack(): Promise<boolean> {
    try {
      await this.line.roundTrip(PROBE_DEADLINE_MS);
      return true;
    } catch {
      return false;
    }
  }
}
