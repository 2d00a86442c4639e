import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/** One line: somebody asked, or something happened in the world. */
export interface LedgerLine {
  readonly kind: 'request' | 'effect';
  /** As the target was given it. */
  readonly key: string;
  /** Digest or text of what was asked for. */
  readonly body: string;
}

/** What an effect server has done, line by line. A line is on the disk before anybody hears of it. */
export class Ledger {
  readonly done = new Map<string, LedgerLine>();
  private readonly file: number;

  constructor(path: string) {
    for (const line of readLedger(path)) if (line.kind === 'effect') this.done.set(line.key, line);
    this.file = openSync(path, 'a');
  }

  write(line: LedgerLine): void {
    writeSync(this.file, `${JSON.stringify(line)}\n`);
    fsyncSync(this.file);
    if (line.kind === 'effect') this.done.set(line.key, line);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** All whole lines of a ledger; none where there is no file yet. A line that a kill has cut off was never answered for. */
export function readLedger(path: string): readonly LedgerLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.slice(0, -1).flatMap((line) => {
    try {
      return [JSON.parse(line) as LedgerLine];
    } catch {
      return [];
    }
  });
}
