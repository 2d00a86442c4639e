import { createHash } from 'node:crypto';

/** One line of what happened: virtual milliseconds, who, what. */
export interface TraceLine {
  readonly at: number;
  readonly actor: string;
  readonly what: string;
}

/**
 * Everything that happened in a seed, as a hash: two runs of a seed agree in it or the simulation is not deterministic.
 * The lines themselves are kept only for a replay.
 */
export class Trace {
  readonly lines: TraceLine[] = [];
  private readonly sum = createHash('sha256');

  constructor(private readonly keepLines: boolean) {}

  note(at: number, actor: string, what: string): void {
    this.sum.update(`${at} ${actor} ${what}\n`);
    if (this.keepLines) this.lines.push({ at, actor, what });
  }

  /** Of everything so far: 16 hex characters. */
  hash(): string {
    return this.sum.copy().digest('hex').slice(0, 16);
  }
}
