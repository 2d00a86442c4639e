import { canon, sha256Hex, type JsonObject, type StoredEvent } from '@cairn/kernel';
import type { StoredEventView } from '../http.js';
import { checkBody } from '../schemas.js';
import { bundleLineSchema, type BundleContent, type BundlePlace } from './format.js';

/** What is wrong with a line of a bundle: its number from 1, the rule that it breaks, and a sentence. */
export interface BundleFault {
  readonly line: number;
  readonly rule: string;
  readonly says: string;
}

/** Reads the lines of one bundle in order and checks everything that can be checked without knowing what they mean. */
export class BundleReader {
  /** How many lines were read, right or wrong. */
  lines = 0;
  /** Hash of the last line that could be read, as it says itself. */
  hash = '';
  /** What the next line must call itself; `undefined` behind a line that could not be read. */
  private next: { readonly n: number; readonly prev: string } | undefined = { n: 1, prev: '' };
  private ended = false;
  /** Whether anything stood behind the end; what that says is nobody's concern. */
  private isOver = false;

  constructor(private readonly onFault: (fault: BundleFault) => void) {}

  /** What the next line says, or `undefined` if it cannot be read. */
  read(bytes: Uint8Array): BundleContent | undefined {
    this.lines += 1;
    if (this.ended) {
      if (!this.isOver) this.fault('after_end', 'a line stands behind the end');
      this.isOver = true;
      return undefined;
    }
    const line = this.parse(bytes);
    if (line === undefined) return (this.next = undefined);
    const { n, prev, hash, ...content } = line;
    if (sha256Hex(canon({ ...content, n, prev })) !== hash) this.fault('hash', 'the line is not what its hash says: it was changed');
    if (this.next !== undefined && (prev !== this.next.prev || n !== this.next.n))
      this.fault('chain', `it calls itself line ${n} and does not follow the line before it: one was added, left out or moved`);
    this.hash = hash;
    this.next = { n: n + 1, prev: hash };
    if ((this.lines === 1) !== (content.kind === 'head')) this.fault('head', 'the first line, and no other, is the head');
    if (content.kind === 'end') {
      this.ended = true;
      if (content.lines !== n) this.fault('end', `it counts ${content.lines} lines, and is line ${n}`);
    }
    return content;
  }

  /** To be called behind the last line, with what stands behind the last line feed. */
  finish(rest: Uint8Array): void {
    if (rest.length > 0) {
      this.lines += 1;
      this.fault('line_end', 'the line does not end with a line feed: the bundle is cut off here');
    } else if (!this.ended) this.fault('end', 'the last line is not the end: the bundle is cut off behind it');
  }

  private parse(bytes: Uint8Array): (BundleContent & BundlePlace) | undefined {
    let parsed: unknown;
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      parsed = JSON.parse(text);
      if (canon(parsed as JsonObject) !== text) this.fault('canonical', 'the line is not canonical JSON (RFC 8785)');
    } catch {
      return this.fault('json', 'the line is no JSON of UTF-8');
    }
    const checked = checkBody(bundleLineSchema, parsed);
    if (checked.kind === 'ok') return parsed as BundleContent & BundlePlace;
    for (const { pointer, rule, says } of checked.errors) this.fault(rule, `${pointer === '' ? 'the line' : pointer}: ${says}`);
    return undefined;
  }

  private fault(rule: string, says: string): undefined {
    this.onFault({ line: Math.max(1, this.lines), rule, says }); // A bundle without any line lacks its first.
  }
}

/** An event as a history shows it, as it was stored: its hashed bytes follow from the rest. */
export function storedEventOf({ stream, revision, type, version, data, metadata }: StoredEventView): StoredEvent {
  const stored = metadata as unknown as StoredEvent['metadata'];
  const { eventId, at, actor, causationId } = stored;
  const body = canon({ type, version, at, actor, causationId, data });
  return { stream, revision, eventId, type, version, at, actor, causationId, data, body, metadata: stored };
}

/** An event as the wire shows it: what was stored, and nothing that was not. */
export function storedEventView({ stream, revision, type, version, data, metadata, at, actor, causationId }: StoredEvent): StoredEventView {
  return { stream, revision, type, version, data, metadata: { ...metadata, at, actor, causationId } };
}
