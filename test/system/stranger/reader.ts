// The folder examples/read-the-history as its readers use it: a process of its own, told where to read.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { storedEventOf, type StoredEventView } from '@cairn/contracts';
import { openEsdb } from '@cairn/event-store-esdb';
import type { StoredEvent } from '@cairn/kernel';
import { systemClock, systemRandomness } from '@cairn/system';
import { root } from '../processes.js';

const example = join(root, 'examples/read-the-history');

/** `node read.mjs …`: its lines, and what it says of them. */
export async function read(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly out: string[]; readonly err: string }> {
  const child = spawn(process.execPath, [join(example, 'read.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out: out.split('\n').slice(0, -1), err };
}

/** The names that its files import. */
export const importedByReader = (): string[] =>
  readdirSync(example)
    .filter((file) => file.endsWith('.mjs'))
    .flatMap((file) =>
      [...readFileSync(join(example, file), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, name = '']) => name),
    );

/** The events of the run in a bundle. */
export const eventsOfBundle = (file: string): StoredEvent[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"kind":"event"'))
    .map((line) => storedEventOf((JSON.parse(line) as { event: StoredEventView }).event));

/** Writes streams to an EventStoreDB as the product does. Throws where one is there already. */
export async function writeTo(url: string, streams: Iterable<readonly StoredEvent[]>): Promise<void> {
  const esdb = await openEsdb({ url, clock: systemClock, randomness: systemRandomness });
  try {
    for (const events of streams) {
      let first = 0;
      while (first < events.length) {
        const append = events.slice(first, first + (events[first]?.metadata.appendCount ?? 1));
        const stored = await esdb.store.append(events[0]?.stream ?? '', first === 0 ? 'no_stream' : first - 1, append);
        if (stored.kind !== 'appended') throw new Error(`${String(events[0]?.stream)}@${first}: ${stored.kind}`);
        first += append.length;
      }
    }
  } finally {
    await esdb.close();
  }
}
