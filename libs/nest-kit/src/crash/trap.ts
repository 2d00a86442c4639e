import { writeFileSync } from 'node:fs';
import type { Hop } from './points.js';

/** Told of each hop that is reached. */
export type Reached = (hop: Hop) => void;

/** `execution.after-append:7`: at the seventh time. */
const CRASH_AT = /^([a-z-]+)\.([a-z-]+):(\d{1,6})$/;

/**
 * What the environment asks of this process, or `undefined`: nothing, as in production. Only with `NODE_ENV=test`:
 * `CAIRN_CRASH_AT=<service>.<hop>:<n>` ends it by SIGKILL the n-th time the hop is reached; `CAIRN_CRASH_COUNTS=<file>` leaves there how
 * often each hop was reached, when the process ends by itself.
 */
export function trapOf(service: string, env: NodeJS.ProcessEnv): Reached | undefined {
  if (env['NODE_ENV'] !== 'test') return undefined;
  const [, whose, where, times] = CRASH_AT.exec(env['CAIRN_CRASH_AT'] ?? '') ?? [];
  const file = env['CAIRN_CRASH_COUNTS'];
  if (whose !== service && file === undefined) return undefined;
  const counts = new Map<Hop, number>();
  if (file !== undefined) process.once('exit', () => writeFileSync(file, JSON.stringify(Object.fromEntries(counts))));
  return (hop) => {
    const count = (counts.get(hop) ?? 0) + 1;
    counts.set(hop, count);
    if (whose === service && hop === where && count === Number(times)) die();
  };
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // The signal is on its way; not one more instruction of ours may count.
}
