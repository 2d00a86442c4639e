// One stack a folder: two nats-servers on one store spoil what it holds, and neither says so.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFolder, shareFolder } from '@cairn/event-store-libsql';

/** A start that cannot work before somebody changes something: `npm run stack` ends with 78 (EX_CONFIG of sysexits.h). */
export class StackRefused extends Error {
  code = 'stack_refused';
  name = 'StackRefused';
}

/**
 * Takes a data folder for one stack. The system gives it free when the process dies, however it dies: what a dead one left never blocks.
 * Throws `StackRefused`, with folder and process, if another stack has it, or a `cairn dev`.
 */
export function takeFolder(data) {
  const pidFile = join(data, 'stack.pid');
  const alone = held(() => lockFolder(join(data, 'stack-lock.db')));
  if (alone === undefined)
    throw new StackRefused(`another stack has the folder ${data}${namedIn(pidFile)}; stop it, or give --data another folder`);
  // The services share this one; whoever has it alone is a `cairn dev`, whose bus is its memory.
  const shared = held(() => shareFolder(join(data, 'lock.db')));
  if (shared === undefined) {
    alone.release();
    throw new StackRefused(
      `a \`cairn dev\` has the folder ${data}${namedIn(join(data, 'server.json'))}; stop it, or give --data another folder`,
    );
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  return {
    release() {
      rmSync(pidFile, { force: true });
      shared.release();
      alone.release();
    },
  };
}

function held(take) {
  try {
    return take();
  } catch (error) {
    if (error.code === 'folder_locked') return undefined;
    throw error;
  }
}

/** Who it is, as far as he has written it yet. */
function namedIn(file) {
  const pid = existsSync(file) ? /^(?:\{.*"pid":)?(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return pid === undefined ? '' : ` (process ${pid})`;
}
