import { describe, expect, it } from '@jest/globals';
import type { BundleContent } from './format.js';
import { BundleReader, type BundleFault } from './read.js';
import { LineSplitter } from './split-lines.js';
import { BundleWriter } from './write.js';

const run = '0kd1astarebxmvr7csh7ccx15d';
const head: BundleContent = { kind: 'head', bundle: 1, ns: 'default', run, workflow: 'w' };
const artifact: BundleContent = { kind: 'artifact', artifact: `sha256:${'0'.repeat(64)}`, bytes: 3, base64: 'w7w=' };

function bundle(...contents: readonly BundleContent[]): string {
  const writer = new BundleWriter();
  return contents.map((content) => writer.line(content)).join('') + writer.end();
}

/** Bytes in pieces of a few, so that lines and characters come apart everywhere. */
function read(text: string | Uint8Array, piece = 7): { readonly contents: (BundleContent | undefined)[]; readonly faults: BundleFault[] } {
  const bytes = Buffer.from(text as string);
  const faults: BundleFault[] = [];
  const reader = new BundleReader((fault) => faults.push(fault));
  const splitter = new LineSplitter();
  const contents: (BundleContent | undefined)[] = [];
  for (let at = 0; at < bytes.length; at += piece)
    for (const line of splitter.push(bytes.subarray(at, at + piece))) contents.push(reader.read(line));
  reader.finish(splitter.rest());
  return { contents, faults };
}

const rules = (text: string | Uint8Array): string[] => read(text).faults.map(({ line, rule }) => `${line} ${rule}`);

describe('a bundle', () => {
  it('is read as it was written, however its bytes come apart', () => {
    for (const piece of [1, 7, 1_000]) {
      expect(read(bundle(head, artifact), piece)).toEqual({ contents: [head, artifact, { kind: 'end', lines: 3 }], faults: [] });
    }
  });

  it('names what is wrong with a line', () => {
    const good = bundle(head, artifact);
    const [first = '', second = '', end = ''] = good.split('\n');
    expect(rules('')).toEqual(['1 end']);
    expect(rules(`${first}\n${second}\n`)).toEqual(['2 end']);
    expect(rules(good.slice(0, -1))).toEqual(['3 line_end']);
    expect(rules(`${good}\n`)).toEqual(['4 after_end']);
    expect(rules(good + good)).toEqual(['4 after_end']);
    expect(rules(`${first}\n${end}\n`)).toEqual(['2 chain']);
    expect(rules(`${second}\n${first}\n${end}\n`)).toEqual(['1 chain', '1 head', '2 chain', '2 head', '3 chain']);
    expect(rules(good.replace('"w"', '"v"'))).toEqual(['1 hash']);
    expect(rules(good.replace('{', '{ '))).toEqual(['1 canonical']);
    expect(rules(good.replace('"head"', '"tail"'))).toEqual(['1 invalid_union']);
    expect(rules(Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(good)]))[0]).toBe('1 json');
  });

  it('knows no member that no rule knows', () => {
    const writer = new BundleWriter();
    const odd = writer.line({ ...head, more: 1 } as unknown as BundleContent) + writer.end();
    expect(rules(odd)).toEqual(['1 unknown_field']);
  });
});
