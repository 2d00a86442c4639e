import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nkeyVariable, type BusUser } from '@cairn/contracts';
import { EXIT } from '../exit-codes.js';
import { problem, Refusal } from '../refusal.js';

/** What was written for one user. */
export interface WrittenKey {
  readonly user: string;
  readonly publicKey: string;
  /** `CAIRN_NATS_NKEY_SEED_FILE` of its process. */
  readonly seedFile: string;
  /** `CAIRN_NATS_INBOX_PREFIX` of its process. */
  readonly inboxPrefix: string;
}

/** Readable by their owner alone. */
const SECRET_MODE = 0o600;
const PUBLIC_FILE = 'nkeys.env';

/**
 * Writes a fresh seed for each user into a folder, and the public keys into `nkeys.env` there, which nats-server reads by its
 * environment. Never replaces a seed: whoever has it would be locked out. Throws a `Refusal`.
 */
export async function writeKeys(folder: string, users: readonly BusUser[]): Promise<readonly WrittenKey[]> {
  const { createUserNkey } = await import('@cairn/bus-jetstream');
  const seedFile = ({ name }: BusUser): string => join(folder, `${name}.seed`);
  const there = users.find((user) => existsSync(seedFile(user)));
  if (there !== undefined) {
    throw new Refusal(
      problem('key_exists', 409, `${seedFile(there)} is there already; nothing was written.`),
      EXIT.conflict,
      'give another folder',
    );
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const written = users.map((user): WrittenKey => {
      const { seed, publicKey } = createUserNkey();
      writeFileSync(seedFile(user), `${seed}\n`, { mode: SECRET_MODE, flag: 'wx' });
      return { user: user.name, publicKey, seedFile: seedFile(user), inboxPrefix: user.inboxPrefix };
    });
    writeFileSync(join(folder, PUBLIC_FILE), users.map((user, i) => `${nkeyVariable(user)}=${written[i]?.publicKey ?? ''}\n`).join(''));
    return written;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new Refusal(problem('cannot_write', 500, `${folder} cannot be written (${code}).`), EXIT.failed);
  }
}
