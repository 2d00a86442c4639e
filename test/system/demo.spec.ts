// Goal: what the README promises of `npm run demo`. Method: it is run as a user runs it (the build was made before), with --keep, so that
// the server it leaves can be looked at.
import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '@cairn/testkit';
import { root } from './processes.js';

/** The demo gives up by itself before that. */
const LIMIT_MS = 300_000;

describe('npm run demo', () => {
  it(
    'plays the story, checks every claim, ends with 0 and leaves what it says',
    async () => {
      const { code, out } = await run(join(root, 'examples/document-approval/dist/demo.js'), ['--keep']);
      const folder = /data folder, kept: (.+)/.exec(out)?.[1] ?? '';
      const [, pid, url = ''] = /the server still runs: process (\d+), (http:\S+),/.exec(out) ?? [];
      try {
        const problem = out.split('\n').filter((line) => /FALSE|in vain|not done after/.test(line));
        expect([code, problem]).toEqual([0, []]);
        expect(out).toMatch(/(4\d|[5-9]\d) claims checked, 0 false/);
        for (const said of [
          'kill -9',
          'near miss: key: expected "V-1042", got "V-1024"',
          'whole  run',
          'HEAD  complete: succeeded',
          'vendor:V-1042:deposit  reuse',
        ])
          expect(out).toContain(said);
        expect((await fetch(`${url}/healthz`)).status).toBe(200);
        expect(JSON.parse(readFileSync(join(folder, 'data/server.json'), 'utf8'))).toMatchObject({ url, pid: Number(pid) });
      } finally {
        if (pid !== undefined) process.kill(Number(pid), 'SIGTERM');
      }
      // A server that drains takes its address away before it goes.
      await waitUntil('the server has drained', () => !existsSync(join(folder, 'data/server.json')));
    },
    LIMIT_MS,
  );
});

describe('npm run demo -- --interactive', () => {
  it(
    'leaves the review to the person at the terminal: rejected, nothing is paid and the history is whole',
    async () => {
      const { code, out } = await run(
        join(root, 'examples/document-approval/dist/demo.js'),
        ['--interactive'],
        'maybe\nreject\nnot this year\n',
      );
      const problem = out.split('\n').filter((line) => /FALSE|in vain|not done after/.test(line));
      expect([code, problem]).toEqual([0, []]);
      expect(out).toContain('not understood: maybe');
      expect(out).toContain('complete(failed)');
    },
    LIMIT_MS,
  );
});

async function run(
  script: string,
  args: readonly string[],
  typed?: string,
): Promise<{ readonly code: number | null; readonly out: string }> {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    stdio: [typed === undefined ? 'ignore' : 'pipe', 'pipe', 'inherit'],
  });
  child.stdin?.end(typed);
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => void (out += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out };
}
