import type { Clock } from '@cairn/ports';

/** How long a scrape waits for what is under way: Prometheus gives up after 10 s by default. */
const PATIENCE_MS = 2_000;
/** How long after a start a scrape may be refused; later it shows what there is, so that trouble is never invisible. */
const REFUSED_MS_MAX = 60_000;

export interface ScrapeParts {
  readonly follower: { level(): Promise<void> };
  readonly proofs: { settled(): Promise<void> };
  readonly clock: Clock;
}

/** Makes a scrape exact where it can be: what was stored before it is in it, and resumes are counted. */
export class Scrape {
  private readonly begun: number;
  private whole = false;

  constructor(private readonly parts: ScrapeParts) {
    this.begun = parts.clock.monotonicMs();
  }

  /** Resolves after at most two seconds. False: the history has never been folded to its end yet, and it is early enough to wait. */
  async prepared(): Promise<boolean> {
    const { clock } = this.parts;
    this.whole = (await this.inTime(this.settle())) || this.whole;
    return this.whole || clock.monotonicMs() - this.begun > REFUSED_MS_MAX;
  }

  private async settle(): Promise<void> {
    await this.parts.follower.level();
    await this.parts.proofs.settled();
  }

  private inTime(work: Promise<void>): Promise<boolean> {
    return new Promise((resolve) => {
      const cut = this.parts.clock.after(PATIENCE_MS, () => resolve(false));
      void work.then(() => {
        cut.cancel();
        resolve(true);
      });
    });
  }
}
