import { RELAY_RETRY_MS, type Relay } from '@cairn/application';
import type { Clock, Timer } from '@cairn/ports';

/** One replica relays what all of them append, since two would only say everything twice: whoever serves the first partition. */
export class RelayDuty {
  private onDuty = false;
  private retry: Timer | undefined;

  constructor(
    private readonly relay: Relay,
    private readonly clock: Clock,
  ) {}

  take(): void {
    this.onDuty = true;
    this.begin();
  }

  drop(): void {
    this.onDuty = false;
    this.retry?.cancel();
    void this.relay.stop();
  }

  async stop(): Promise<void> {
    this.drop();
    await this.relay.stop();
  }

  private begin(): void {
    this.relay.start().catch(() => {
      // The store is away; what is told late is told all the same.
      if (this.onDuty) this.retry = this.clock.after(RELAY_RETRY_MS, () => this.begin());
    });
  }
}
