// Goal: the command line as a process: cheap to start, one server a folder, exit codes that a shell sees.
import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notRun } from '@cairn/testkit';
import { root, startServer } from './processes.js';

const bin = join(root, 'services/cli/bin/cairn.js');
/** What a client command may cost over bare node (`experience.md` §7). CPU instead of time: the machine may be busy with others. */
const BUDGET_MS = 150;
/** What bare node cost where the budget was set. Where it costs more, the same work of ours does, too. */
const BARE_MS = 120;
const LIMIT_MS = 300_000;

describe('cairn as a process', () => {
  it(`costs a client command at most ${BUDGET_MS} ms of CPU over bare node`, () => {
    if (!existsSync('/proc/self/stat')) return notRun('import budget of the CLI', 'needs /proc');
    const [bare = 0, listing = 0] = cheapest(['-e', '0'], [bin, 'run', 'list', '--url', 'http://127.0.0.1:1']);
    expect(listing - bare).toBeLessThanOrEqual(BUDGET_MS * Math.max(1, bare / BARE_MS));
  });

  it(
    'dev has its folder alone: a second one says so and ends with 78; SIGTERM ends the first with 0',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'cairn-cli-'));
      const first = await startServer(folder);
      try {
        const second = spawnSync(process.execPath, [bin, 'dev', '--port', '0', '--data', folder], { encoding: 'utf8' });
        expect(second).toMatchObject({ status: 78, stdout: '' });
        expect(second.stderr).toContain('Another server has the folder');
        const list = spawnSync(process.execPath, [bin, 'def', 'list', '--json', '--data', folder], { encoding: 'utf8' });
        expect({ status: list.status, body: JSON.parse(list.stdout) as unknown }).toEqual({ status: 0, body: { items: [] } });
        expect(spawnSync(process.execPath, [bin, 'run', 'show', 'zzzzzz', '--data', folder]).status).toBe(3);
      } finally {
        await first.process.kill('SIGTERM');
        rmSync(folder, { recursive: true, force: true });
      }
      expect(await first.process.exited).toEqual({ code: 0, signal: null });
      expect(spawnSync(process.execPath, [bin, 'run', 'list', '--url', first.url]).status).toBe(5);
      expect(spawnSync(process.execPath, [bin, 'rnu']).status).toBe(2);
    },
    LIMIT_MS,
  );
});

/**
 * Milliseconds of user and system CPU of each node process, its cheapest start of ten. They take turns, since a machine that is busy with
 * others, or throttled, must be so for all of them.
 */
function cheapest(...starts: readonly (readonly string[])[]): readonly number[] {
  const costs = starts.map(() => Infinity);
  for (let turn = 0; turn < 10; turn++) {
    starts.forEach((args, i) => {
      const before = childrenCpuMs();
      spawnSync(process.execPath, args, { stdio: 'ignore' });
      costs[i] = Math.min(costs[i] ?? Infinity, childrenCpuMs() - before);
    });
  }
  return costs;
}

/** CPU of all children that have ended (`proc(5)`, fields 16 and 17 of stat, in hundredths of a second). */
function childrenCpuMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
