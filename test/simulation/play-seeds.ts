import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

const WITHIN_MS = 480_000;
const root = resolve(import.meta.dirname, '../..');

/** What `npm run sim -- --json` says of a batch. */
interface Played {
  readonly seeds: number;
  readonly failed: readonly { readonly seed: number; readonly findings: readonly unknown[]; readonly replay: string }[];
  readonly missing: readonly string[];
}

/**
 * Plays these seeds: two spec files have a half each, for two cores. Each half alone must meet everything that may go wrong.
 * Played by the built command in a process of its own: among jest's contexts the same seeds take a third longer.
 */
export function playSeeds(from: number, seeds: number): void {
  describe(`seeds ${from} to ${from + seeds - 1}`, () => {
    let batch: Played;
    beforeAll(async () => {
      batch = await played(from, seeds);
    }, WITHIN_MS);

    it('keep every promise', () => {
      expect(batch.failed).toEqual([]);
      expect(batch.seeds).toBe(seeds);
    });

    it('show everything that may go wrong at least once', () => {
      expect(batch.missing).toEqual([]);
    });
  });
}

/** The command ends with 1 when a seed fails: what it says is judged, not how it ends. */
async function played(from: number, seeds: number): Promise<Played> {
  const main = join(root, 'libs/simulation/dist/main.js');
  const args = [main, '--from', String(from), '--seeds', String(seeds), '--json'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  return JSON.parse(out) as Played;
}
