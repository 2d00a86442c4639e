import { Relaying, type RelayOptions } from './relaying.js';

/**
 * Tells the bus what was stored: sent in commit order, `RELAY_WINDOW` events under way at most, each event at least once. The bookmark
 * follows the acknowledgements and is contiguous, so a crash in between publishes again and skips nothing (F-3, F-4). Two relays at once
 * do no harm, so a replica may start and stop its own as it comes to be the one that relays.
 */
export class Relay {
  private current: Relaying | undefined;
  private ended = Promise.resolve();

  constructor(private readonly options: RelayOptions) {}

  /** Goes on after the bookmark, whoever wrote it; without effect while it relays. Throws `StoreFault`. */
  async start(): Promise<void> {
    if (this.current !== undefined) return;
    const relaying = (this.current = new Relaying(this.options));
    try {
      await this.ended;
      await relaying.start();
    } catch (fault) {
      if (this.current === relaying) this.current = undefined;
      throw fault;
    }
  }

  /** Publishes nothing more; what is published is bookmarked if the store still answers. It may be started again. */
  async stop(): Promise<void> {
    const relaying = this.current;
    this.current = undefined;
    if (relaying !== undefined) this.ended = relaying.stop();
    await this.ended;
  }

  /**
   * How old the oldest stored event is that the bus has not acknowledged, in milliseconds, by this process's wall clock; 0 if there is
   * none, or while this relay is stopped. What the store has not delivered yet is unknown.
   */
  lagMs(): number {
    return this.current?.lagMs() ?? 0;
  }
}
