import { createReadStream } from 'node:fs';
import { notFound, usage } from './refusal.js';
import type { Surroundings } from './surroundings.js';

/** The bytes of a bundle: of a file, or of standard input for `-`. No such file: exit 3. */
export async function* bundleBytes(file: string, surroundings: Surroundings): AsyncGenerator<Uint8Array> {
  if (file === '-') return yield Buffer.from(surroundings.stdin(), 'utf8');
  try {
    for await (const bytes of createReadStream(file)) yield bytes as Uint8Array;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw notFound('file_not_found', `There is no file ${file}.`);
    if (code === 'EISDIR' || code === 'EACCES') throw usage(`${file} cannot be read (${code}).`);
    throw error;
  }
}
