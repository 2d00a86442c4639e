import type { Hop } from './points.js';

/** Told of each hop that is reached. */
export type Reached = (hop: Hop) => void;

/** `execution.after-append:7`: at the seventh time. */
const CRASH_AT = /^([a-z-]+)\.([a-z-]+):(\d{1,6})$/;

/**
 * What the environment asks of this process, or `undefined`: nothing, as in production. With `NODE_ENV=test` and
 * `CAIRN_CRASH_AT=<service>.<hop>:<n>` it ends by SIGKILL the n-th time that the hop is reached.
 */
export function trapOf(service: string, env: NodeJS.ProcessEnv): Reached | undefined {
  const [, whose, where, times] = CRASH_AT.exec(env['CAIRN_CRASH_AT'] ?? '') ?? [];
  if (env['NODE_ENV'] !== 'test' || whose !== service) return undefined;
  let count = 0;
  return (hop) => {
    if (hop === where && ++count === Number(times)) die();
  };
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // The signal is on its way; not one more instruction of ours may count.
}
