// A handler that dies where it is told to: `CAIRN_CRASH_AT=handler.<hop>:<n>`, as services do.
const [, where, times] = /^handler\.([a-z-]+):(\d+)$/.exec(process.env.CAIRN_CRASH_AT ?? '') ?? [];
let count = 0;

/** @param {'received' | 'effect-done' | 'replied' | 'acked'} hop */
export function reached(hop) {
  if (hop === where && ++count === Number(times)) process.kill(process.pid, 'SIGKILL');
}
