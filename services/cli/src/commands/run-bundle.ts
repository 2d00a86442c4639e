import { createHash } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { pipeline } from 'node:stream/promises';
import type { ImportView } from '@cairn/contracts';
import type { Command } from 'commander';
import { bundleBytes } from '../bundle-file.js';
import { EXIT } from '../exit-codes.js';
import { runId } from '../find-by-tail.js';
import { problem, Refusal, usage } from '../refusal.js';
import { common, type Context, type Shell } from '../shell.js';
import { tail } from '../show.js';

/** How a bundle's last line begins, as far as it is the same in every bundle: its members stand in the alphabet's order. */
const END = /^\{"hash":"[0-9a-f]{64}","kind":"end",/;
/** The longest that a last line may be. */
const END_BYTES_MAX = 512;

/** `run export`, `run import`: a run as a file that another server shows, and that anybody can verify. */
export function bundleCommands(noun: Command, shell: Shell): void {
  common(noun.command('export <run>'))
    .description('writes a run as a bundle: its branches, definition, policies, receipts and artifacts, chained by hashes')
    .option('--out <file>', 'into this file (default: standard output)')
    .action(async (text: string, { out }: { out?: string }, command: Command) => {
      const context = shell.context(command);
      await exportBundle(context, await runId(context.client, text), out);
    });
  common(noun.command('import <bundle>'))
    .description('shows the run of a bundle (a file, or -) on this server, where it acts on nothing; refuses a bundle that is not whole')
    .action(async (file: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const { BUNDLE_BYTES_MAX, BUNDLE_MEDIA_TYPE } = await import('@cairn/contracts');
      const bytes = await allOf(file, bundleBytes(file, context.surroundings), BUNDLE_BYTES_MAX);
      const { body: view } = await context.client.postBytes<ImportView>('bundles', bytes, BUNDLE_MEDIA_TYPE);
      context.print(view, () => `${words[view.outcome]} run ${tail(view.run)}  ${view.run}\n  ${view.lines} lines, ${view.hash}\n`);
    });
}

/** What a server would refuse by its length is not sent: it hangs up on most of it, and that says nothing to anybody. */
async function allOf(file: string, bytes: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > bytesMax) throw usage(`${file} has more than ${bytesMax} bytes, the most of a bundle that is imported.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const words: Readonly<Record<ImportView['outcome'], string>> = {
  imported: 'imported',
  extended: 'imported what is new of',
  unchanged: 'already imported',
  pending: 'accepted, and not imported yet:',
};

/** Into a file: beside it first, so that a file of that name is a whole bundle. */
async function exportBundle(context: Context, run: string, out: string | undefined): Promise<void> {
  const response = await context.client.open({ method: 'GET', path: `runs/${run}/bundle` });
  const seen = new Seen();
  const watched = async function* (): AsyncGenerator<Buffer> {
    for await (const bytes of response) yield seen.add(bytes as Buffer);
    if (!seen.isWhole) throw new Error('the last line is not the end');
  };
  const partial = out === undefined ? undefined : `${out}.partial`;
  try {
    if (partial === undefined) await print(context, watched());
    else await pipeline(watched, createWriteStream(partial));
  } catch (error) {
    if (partial !== undefined) await rm(partial, { force: true });
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === 'open' || syscall === 'write') throw usage(`--out: ${out} cannot be written (${code}).`);
    throw new Refusal(problem('export_broken_off', 502, `The export broke off (${message}); run it again.`), EXIT.failed);
  }
  if (out === undefined || partial === undefined) return;
  await rename(partial, out);
  const view = { run, file: out, bytes: seen.bytes, lines: seen.lines, sha256: seen.sha256 };
  context.print(view, () => `exported run ${tail(run)} to ${out}: ${seen.lines} lines, ${seen.bytes} bytes\n`);
}

/** A bundle is text, and a character may come in two pieces. */
async function print(context: Context, bytes: AsyncIterable<Buffer>): Promise<void> {
  const decoder = new StringDecoder('utf8');
  for await (const piece of bytes) context.surroundings.out(decoder.write(piece));
}

/** What has gone by of a bundle. */
class Seen {
  bytes = 0;
  lines = 0;
  private readonly hash = createHash('sha256');
  private last = '';

  add(bytes: Buffer): Buffer {
    this.bytes += bytes.length;
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) this.lines += 1;
    this.hash.update(bytes);
    this.last = (this.last + bytes.subarray(-END_BYTES_MAX).toString('latin1')).slice(-END_BYTES_MAX);
    return bytes;
  }

  /** Whether the last line is the end of a bundle, line feed included. */
  get isWhole(): boolean {
    return this.last.endsWith('\n') && END.test(this.last.slice(this.last.lastIndexOf('\n', this.last.length - 2) + 1));
  }

  get sha256(): string {
    return this.hash.digest('hex');
  }
}
