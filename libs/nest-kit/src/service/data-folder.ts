import { randomBytes } from 'node:crypto';
import { access, chmod, constants, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigInvalid } from './config.js';

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
  await makeFolder(folder).catch((error: unknown) => {
    throw new ConfigInvalid(`data: ${folder} cannot be made (${(error as { code?: string }).code ?? 'unknown'})`);
  });
  const usable = await access(folder, constants.W_OK | constants.X_OK).then(
    async () => (await stat(folder)).isDirectory(),
    () => false,
  );
  if (!usable) throw new ConfigInvalid(`data: ${folder} is no folder that this user may write to`);
  return {
    lock: join(folder, 'lock.db'),
    events: join(folder, 'events.db'),
    artifacts: join(folder, 'artifacts'),
    token: join(folder, 'token'),
    server: join(folder, 'server.json'),
  };
}

/** Makes a folder and those above it, one after another: where the system refuses without a reason, node's own recursion never ends. */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { mode: OWNER_ONLY_FOLDER }).then(
    () => undefined,
    (error: unknown) => (error as { code?: string }).code,
  );
  if (made === undefined || made === 'EEXIST') return;
  const above = dirname(folder);
  if (made !== 'ENOENT' || above === folder) throw Object.assign(new Error('no folder'), { code: made });
  await makeFolder(above);
  await mkdir(folder, { mode: OWNER_ONLY_FOLDER });
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
  server: {
    readonly url: string;
    readonly pid: number;
    readonly ns: string;
    readonly nats?: string;
    /** An EventStoreDB as `CAIRN_EVENT_STORE` names it, without credentials; else events are in the folder. */
    readonly eventStore?: string;
  },
): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(server)}\n`, { mode: OWNER_ONLY });
  await rename(`${path}.new`, path);
}

/** The server is gone. */
export async function removeServerFile(path: string): Promise<void> {
  await rm(path, { force: true });
}
