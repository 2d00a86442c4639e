import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What lies in a data folder (`history.md` §4). */
export interface DataFolder {
  readonly lock: string;
  readonly events: string;
  readonly artifacts: string;
  readonly token: string;
  readonly server: string;
}

const TOKEN = /^[0-9a-f]{64}$/;
const TOKEN_BYTES = 32;
/** Only the owner may read what opens the door. */
const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

export async function openDataFolder(folder: string): Promise<DataFolder> {
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  return {
    lock: join(folder, 'lock.db'),
    events: join(folder, 'events.db'),
    artifacts: join(folder, 'artifacts'),
    token: join(folder, 'token'),
    server: join(folder, 'server.json'),
  };
}

/**
 * The bearer token of a folder: 256 random bits as hex, made once, mode 0600. To be called by whoever holds the folder's lock. A file
 * that holds no token (a crash while it was written) is replaced.
 */
export async function readOrMakeToken(path: string): Promise<string> {
  const present = await readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
  if (TOKEN.test(present)) {
    await chmod(path, OWNER_ONLY);
    return present;
  }
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  await writeFile(`${path}.new`, `${token}\n`, { mode: OWNER_ONLY });
  await rename(`${path}.new`, path);
  return token;
}

/** Tells CLI and SDK of this machine where the server is. Replaced in one step, so nobody reads half of it. */
export async function writeServerFile(
  path: string,
  server: { readonly url: string; readonly pid: number; readonly ns: string },
): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(server)}\n`, { mode: OWNER_ONLY });
  await rename(`${path}.new`, path);
}

/** The server is gone. */
export async function removeServerFile(path: string): Promise<void> {
  await rm(path, { force: true });
}
