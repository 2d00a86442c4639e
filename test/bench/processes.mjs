// One server process and one handler process, as in production of the embedded kind: real HTTP, everything fsynced.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const cairn = fileURLToPath(new URL('../../services/cli/bin/cairn.js', import.meta.url));
const handlers = fileURLToPath(new URL('./handlers.mjs', import.meta.url));
const slowHandlers = fileURLToPath(new URL('./slow-handlers.mjs', import.meta.url));

/** `--cpu-prof` writes where the time went when the process ends. */
const profiling = (folder) => (folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]);

export async function startServer(data, profile) {
  const child = spawn(process.execPath, [...profiling(profile), cairn, 'dev', '--port', '0', '--data', data, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line);
    child.stdout.resume();
    return {
      pid: child.pid,
      url,
      token: readFileSync(join(data, 'token'), 'utf8').trim(),
      stop: () => stop(child, () => child.kill('SIGTERM')),
    };
  }
  throw new Error(`the server ended before it was ready (exit ${child.exitCode})`);
}

export async function startHandlers(data, profile) {
  const child = fork(handlers, [], {
    env: { ...process.env, CAIRN_DATA: data, CAIRN_URL: '', CAIRN_TOKEN: '' },
    serialization: 'advanced',
    execArgv: profiling(profile),
  });
  await once(child, 'message');
  const ask = async (message) => {
    const answered = once(child, 'message');
    child.send(message);
    return (await answered)[0];
  };
  return { pid: child.pid, begin: () => ask('begin'), report: () => ask('report'), stop: () => stop(child, () => child.disconnect()) };
}

/** A handler process that can be killed. */
export async function startSlowHandlers(data) {
  const child = fork(slowHandlers, [], { env: { ...process.env, CAIRN_DATA: data, CAIRN_URL: '', CAIRN_TOKEN: '' } });
  await once(child, 'message');
  return { pid: child.pid, kill: () => stop(child, () => child.kill('SIGKILL')) };
}

async function stop(child, how) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  how();
  await ended;
}
