// Runs one node command and gives its exit code and output; nothing that it leaves behind can print later.
import { spawn } from 'node:child_process';
import { root } from './workspaces.mjs';

/** How long a command's grandchildren may hold its output open after it has ended. */
const OUTPUT_GRACE_MS = 2_000;

/**
 * `onOutput` gets each piece of output as it comes, standard output and error alike. Resolves with `{code, timedOut}` when the
 * command has ended; `code` is null if it was killed. After `limitMs` it is killed: a hanging run is a failed one.
 */
export function runCommand(args, { env, limitMs, onOutput }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let timedOut = false;
    let ended = false;
    const limit = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, limitMs);
    const end = (code) => {
      if (ended) return;
      ended = true;
      clearTimeout(limit);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code, timedOut });
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => ended || onOutput(text));
    child.on('error', (error) => {
      onOutput(`${error}\n`);
      end(null);
    });
    child.on('close', (code) => end(code));
    child.on('exit', (code) => setTimeout(() => end(code), OUTPUT_GRACE_MS).unref());
  });
}
