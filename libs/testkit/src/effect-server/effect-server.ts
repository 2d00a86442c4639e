import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Spawned } from '../spawned.js';
import type { Mood } from './behaviour.js';
import { readLedger, type LedgerLine } from './ledger.js';

const MAIN = resolve(import.meta.dirname, '../../dist/effect-server/main.js');

/**
 * A target of effects outside of everything that is tested, with a ledger that is fsynced before it answers: what it says happened, did
 * (E-2). It can be killed and started again on its port and ledger.
 */
export class EffectServer {
  private constructor(
    private process: Spawned,
    readonly url: string,
    private readonly folder: string,
  ) {}

  static async start(): Promise<EffectServer> {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-effects-'));
    const process = Spawned.start(MAIN, [join(folder, 'ledger')]);
    return new EffectServer(process, await process.firstLine, folder);
  }

  /** The file that its ledger lies in. */
  get path(): string {
    return join(this.folder, 'ledger');
  }

  async behave(mood: Mood): Promise<void> {
    await fetch(`${this.url}/mood`, { method: 'POST', body: JSON.stringify(mood) });
  }

  /** Everything that was ever asked and done, read from the file. */
  get ledger(): readonly LedgerLine[] {
    return readLedger(this.path);
  }

  /** How often something happened under each key. */
  effects(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { kind, key } of this.ledger) if (kind === 'effect') counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  }

  async kill(): Promise<void> {
    await this.process.kill();
  }

  async startAgain(): Promise<void> {
    this.process = Spawned.start(MAIN, [this.path, new URL(this.url).port]);
    await this.process.firstLine;
  }

  /** Ends it, and its ledger. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
