import { randomBytes } from 'node:crypto';
import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallbackTokens } from '@cairn/ports';
import { CALLBACK_KEY_BYTES_MIN, CALLBACK_KEYS_MAX, hmacCallbackTokens, type CallbackKey } from '@cairn/system';
import { ConfigInvalid, secretOf } from './config.js';

/** In the data folder. */
const FILE = 'callback-keys';
const LINE = /^([a-z0-9]{1,16}):([0-9a-f]+)$/;
const OWNER_ONLY = 0o600;

/**
 * The keys that links are signed with: of the file that is named, else of the data folder, where they are made once, mode 0600. Processes
 * that share a folder may come at the same time and get the same keys. Throws `ConfigInvalid`, which repeats no key.
 */
export async function openCallbackTokens(named: string | undefined, folder: string): Promise<CallbackTokens> {
  if (named !== undefined) return hmacCallbackTokens(keysOf('CAIRN_CALLBACK_KEYS_FILE', secretOf('CAIRN_CALLBACK_KEYS_FILE', named)));
  const file = join(folder, FILE);
  const present = (await read(file)) ?? (await make(file));
  await chmod(file, OWNER_ONLY);
  return hmacCallbackTokens(keysOf(file, present));
}

const read = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);

/** Whoever is first has made it: the file comes into being whole, or was there. */
async function make(file: string): Promise<string> {
  const mine = `${file}.${process.pid}.new`;
  await writeFile(mine, `k1:${randomBytes(CALLBACK_KEY_BYTES_MIN).toString('hex')}\n`, { mode: OWNER_ONLY });
  try {
    await link(mine, file).catch((error: unknown) => {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
    });
    return await readFile(file, 'utf8');
  } finally {
    await rm(mine, { force: true });
  }
}

/** One key a line, `<kid>:<hex>`; the first signs. */
function keysOf(name: string, text: string): [CallbackKey, ...CallbackKey[]] {
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '').map((line) => keyOf(name, line));
  const [first, ...rest] = keys;
  if (first === undefined || keys.length > CALLBACK_KEYS_MAX)
    throw new ConfigInvalid(`${name}: must hold one or ${CALLBACK_KEYS_MAX} keys, one a line, the one that signs first`);
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) throw new ConfigInvalid(`${name}: two keys have the same name`);
  return [first, ...rest];
}

function keyOf(name: string, line: string): CallbackKey {
  const [, kid, hex = ''] = LINE.exec(line) ?? [];
  if (kid === undefined || hex.length % 2 === 1 || hex.length < CALLBACK_KEY_BYTES_MIN * 2)
    throw new ConfigInvalid(`${name}: a key is <name>:<hex>, its name of a-z 0-9, of at least ${CALLBACK_KEY_BYTES_MIN} bytes`);
  return { kid, secret: Buffer.from(hex, 'hex') };
}
