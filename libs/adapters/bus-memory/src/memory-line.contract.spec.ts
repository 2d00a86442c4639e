import { describe, it } from '@jest/globals';
import { lineContract, PATIENCE_MS, tryCase, wallClock, type LineHarness } from '@cairn/testkit';
import { createMemoryLine, type MemoryLine } from './memory-line.js';

async function make(): Promise<LineHarness> {
  const switchboard = createMemoryLine({ clock: wallClock });
  const lines: MemoryLine[] = [];
  return {
    line: async () => {
      const line = switchboard.line();
      lines.push(line);
      return line;
    },
    die: async (line) => (line as MemoryLine).die(),
    heard: () => Promise.resolve(),
    patienceMs: PATIENCE_MS,
    dispose: async () => {
      for (const line of lines) await line.close();
    },
  };
}

describe('line in memory keeps the promises of Line', () => {
  for (const promise of lineContract) it(promise.name, () => tryCase(promise, make));
});
