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

/** What became of the bytes of one direction, over all connections since the proxy began. What is taken and neither passed nor lost is held. */
export interface LinkTally {
  taken: number;
  /** Given to the receiving end's socket. */
  passed: number;
  /** Dropped by the fault, cut off, or too late for a connection that is gone. */
  lost: number;
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
    private readonly tally: LinkTally,
  ) {
    from.on('data', (bytes) => {
      this.tally.taken += bytes.length;
      from.pause();
      this.queue = this.queue.then(() => this.pass(bytes)).finally(() => from.resume());
    });
    from.once('end', () => void this.queue.then(() => to.end()));
  }

  private async pass(bytes: Buffer): Promise<void> {
    while (this.fault().mute === 'hold') {
      if (this.to.destroyed) return this.lose(bytes.length);
      await pause(HOLD_LOOK_MS);
    }
    const { mute, latencyMs = 0, bytesPerSecond, cutAfterBytes } = this.fault();
    if (mute === 'drop') return this.lose(bytes.length);
    if (latencyMs > 0) await pause(latencyMs);
    if (bytesPerSecond !== undefined) await pause((bytes.length / bytesPerSecond) * 1_000);
    if (this.to.destroyed) return this.lose(bytes.length);
    const left = cutAfterBytes === undefined ? bytes.length : Math.max(0, cutAfterBytes - this.passed);
    const whole = bytes.length <= left;
    const passing = whole ? bytes : bytes.subarray(0, left);
    this.passed += passing.length;
    this.tally.passed += passing.length;
    this.lose(bytes.length - passing.length);
    this.to.write(passing, whole ? undefined : this.cut);
  }

  private lose(bytes: number): void {
    this.tally.lost += bytes;
  }
}

/** Holds no process: bytes under way over a link whose sockets are gone are nobody's. */
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());
