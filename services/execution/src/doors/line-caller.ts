import type { HangUp } from '@cairn/contracts';
import type { Line } from '@cairn/ports';

/** Whoever speaks over the line for a session, told apart from those who have fallen silent by asking whether they are there. */
export class LineCaller implements HangUp {
  aborted = false;
  private readonly listeners = new Set<() => void>();

  constructor(
    /** Absent of one that speaks for others, such as a gateway: it tells when the session is gone. */
    private readonly aliveAt: string | undefined,
    public heardAt: number,
  ) {}

  /** Monotonic: heard again now. */
  heard(now: number): void {
    this.heardAt = now;
  }

  /** Looks once; `onGone` if nobody is there any more. */
  lookAfter(line: Line, onGone: () => void): void {
    const { heardAt } = this;
    if (this.aliveAt === undefined) return;
    line.ifGone(this.aliveAt, () => {
      if (this.aborted || this.heardAt !== heardAt) return; // Heard meanwhile.
      this.hangUp();
      onGone();
    });
  }

  /** Its frames are answered to nobody. */
  hangUp(): void {
    this.aborted = true;
    for (const listener of [...this.listeners]) listener();
  }

  isAt(aliveAt: string | undefined): boolean {
    return !this.aborted && this.aliveAt === aliveAt;
  }

  addEventListener(_: 'abort', listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.listeners.delete(listener);
  }
}
