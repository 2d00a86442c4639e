// The machine's own part: what its disk allows one writer, what its processors spent, and what processes and folders take up.
import { closeSync, fdatasyncSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join, relative, sep } from 'node:path';

const SYNC_MS = 1_000;
const RECORD_BYTES = 1_024;

/** Appends of 1 KiB with an fdatasync each, one writer, in a second: no engine that makes one thing durable at a time is faster. */
export function fsyncLimitPerSecond(folder) {
  const path = join(folder, 'fsync-limit');
  const file = openSync(path, 'w');
  const record = Buffer.alloc(RECORD_BYTES, 'x');
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < SYNC_MS) {
    writeSync(file, record);
    fdatasyncSync(file);
    count++;
  }
  const seconds = (performance.now() - start) / 1000;
  closeSync(file);
  rmSync(path);
  return Math.round(count / seconds);
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** User and system CPU of a process so far, all its threads, in milliseconds (`/proc/<pid>/stat`, fields 14 and 15). */
export function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** Resident memory of a process, in bytes. */
export function memoryBytes(pid) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1_024;
}

/**
 * What the files below a folder hold, by its first level (`events.db` with its log beside it). Space that is only reserved is not
 * counted; a file that goes meanwhile counts as gone.
 */
export function folderBytes(folder) {
  const bytes = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const part = relative(folder, path)
      .split(sep)[0]
      .replace(/-(wal|shm)$/, '');
    bytes[part] = (bytes[part] ?? 0) + (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  }
  return bytes;
}
