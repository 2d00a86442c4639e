import { readdirSync, readFileSync } from 'node:fs';

/** Whether every thread of a process is stopped (proc(5): state `T`). A thread that has just ended is left out. */
export function standsStill(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => {
      try {
        return /\) (\S)/.exec(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))?.[1] ?? [];
      } catch {
        return [];
      }
    })
    .every((state) => state === 'T');
}
