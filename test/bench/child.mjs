import { fork } from 'node:child_process';
import { once } from 'node:events';

/** `--cpu-prof` writes where the time went when the process ends. */
export const profiling = (folder) => (folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]);

/** A handler process that says when it is ready; it ends when it is hung up on. `onStep` hears of each step that a slow one begins. */
export async function forkHandlers(file, { env, profile, onStep }) {
  const child = fork(file, [], {
    env: { ...process.env, ...env },
    serialization: 'advanced',
    execArgv: profiling(profile),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${file} ended before it was ready (exit ${code})`);
    }),
  ]);
  child.on('message', (message) => {
    if (message === 'step') onStep?.();
  });
  const ask = (message) =>
    new Promise((resolve) => {
      const hear = (answer) => {
        if (answer !== 'begun' && answer.stepMs === undefined) return; // Something that it told by itself.
        child.off('message', hear);
        resolve(answer);
      };
      child.on('message', hear);
      child.send(message);
    });
  return {
    pid: child.pid,
    child,
    begin: () => ask('begin'),
    report: () => ask('report'),
    kill: () => ended(child, () => child.kill('SIGKILL')),
    stop: () => ended(child, () => child.disconnect()),
    release: () => ended(child, () => child.disconnect()),
  };
}

/** Ends a process and waits until it has. */
export async function ended(child, how) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  how();
  await exit;
}
