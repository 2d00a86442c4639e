import type { Socket } from 'node:net';

/** What is wrong with one direction of a link. Nothing, if empty. */
export interface LinkFault {
  /** Bytes arrive so much later, in milliseconds. */
  readonly latencyMs?: number;
  /** Bytes a second at most. */
  readonly bytesPerSecond?: number;
  /** `drop`: bytes are taken and never arrive. `hold`: bytes are not even taken, and arrive when the link is healed. */
  readonly mute?: 'drop' | 'hold';
  /** The connection is cut off right behind so many more bytes. */
  readonly cutAfterBytes?: number;
}

/** Where a held direction looks whether it was healed. */
const HOLD_LOOK_MS = 20;

/** Bytes from one socket to another, in order, through a fault that may change at any time. */
export class Direction {
  private queue: Promise<void> = Promise.resolve();
  private passed = 0;

  constructor(
    from: Socket,
    private readonly to: Socket,
    private readonly fault: () => LinkFault,
    private readonly cut: () => void,
  ) {
    from.on('data', (bytes) => {
      from.pause();
      this.queue = this.queue.then(() => this.pass(bytes)).finally(() => from.resume());
    });
    from.once('end', () => void this.queue.then(() => to.end()));
  }

  private async pass(bytes: Buffer): Promise<void> {
    while (this.fault().mute === 'hold') {
      if (this.to.destroyed) return;
      await pause(HOLD_LOOK_MS);
    }
    const { mute, latencyMs = 0, bytesPerSecond, cutAfterBytes } = this.fault();
    if (mute === 'drop') return;
    if (latencyMs > 0) await pause(latencyMs);
    if (bytesPerSecond !== undefined) await pause((bytes.length / bytesPerSecond) * 1_000);
    if (this.to.destroyed) return;
    const left = cutAfterBytes === undefined ? Infinity : Math.max(0, cutAfterBytes - this.passed);
    this.passed += bytes.length;
    if (bytes.length <= left) return void this.to.write(bytes);
    this.to.write(bytes.subarray(0, left), this.cut);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
