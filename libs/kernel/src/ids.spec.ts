import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crockford, idOf, inboxHash, isId, PARTITIONS, partitionOf, withoutVersion } from './ids.js';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** 26 base-32 digits of a 128-bit number, by plain arithmetic. */
function base32(hex: string): string {
  let value = BigInt(`0x${hex}`);
  let text = '';
  for (let i = 0; i < 26; i++) {
    text = ALPHABET.charAt(Number(value % 32n)) + text;
    value /= 32n;
  }
  return text;
}

/** RFC 9562 §5.5 from its text: SHA-1 over name space and name, then version and variant bits. Name space: `history.md` fixes one. */
function v5(name: string): string {
  const digest = createHash('sha1')
    .update(Buffer.from('6f1d3c52a9e84b5c9d07c41b5e2f8a63', 'hex'))
    .update(name, 'utf8')
    .digest('hex')
    .slice(0, 32);
  const variant = ((parseInt(digest.charAt(16), 16) & 3) | 8).toString(16);
  return base32(`${digest.slice(0, 12)}5${digest.slice(13, 16)}${variant}${digest.slice(17)}`);
}

describe('ids', () => {
  it('are UUIDs of version 5 over the canonical list of kind and parts', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer()), { maxLength: 4 }), (parts) => {
        expect(idOf('run', ...parts)).toBe(v5(JSON.stringify(['run', ...parts])));
      }),
    );
  });

  it('stay what they are: a stored id is never computed differently', () => {
    expect(idOf('run', 'default', 'order', 'o-1')).toBe(v5('["run","default","order","o-1"]'));
    expect(idOf('run', 'default', 'order', 'o-1')).toBe('39nx0nrdfva58thh9m6ht6zv3j');
    expect(idOf('event', 'run-x+main', 0, 'ab')).toBe('3x86fr55e1a5mrredrj9k9vn2b');
  });

  it('keep parts apart that join to the same text', () => {
    expect(idOf('run', 'a', 'bc')).not.toBe(idOf('run', 'ab', 'c'));
    expect(idOf('event', 's', 1)).not.toBe(idOf('event', 's', '1'));
    expect(idOf('wait', 'r', 's')).not.toBe(idOf('timer', 'r', 's'));
  });

  it('encode 16 bytes most significant bit first', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const text = crockford(bytes);
        expect(text).toBe(base32(Buffer.from(bytes).toString('hex')));
        expect(isId(text)).toBe(true);
      }),
    );
    expect(() => crockford(new Uint8Array(15))).toThrow(RangeError);
  });

  it.each([
    '',
    '0'.repeat(25),
    '0'.repeat(27),
    `8${'0'.repeat(25)}`,
    `${'0'.repeat(25)}i`,
    `${'0'.repeat(25)}I`,
    `${'0'.repeat(25)}+`,
    `${'0'.repeat(26)}\n`,
    7,
    null,
  ])('are not %j', (text) => {
    expect(isId(text)).toBe(false);
  });
});

describe('inboxHash', () => {
  it('is the first 130 bits of the digest of name space, type without version and key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (key) => {
        const hex = createHash('sha256')
          .update(JSON.stringify(['default', 'dms.document', key]))
          .digest('hex');
        const bits = Array.from(hex, (digit) => parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
        const text = Array.from({ length: 26 }, (_, i) => ALPHABET.charAt(parseInt(bits.slice(i * 5, i * 5 + 5), 2))).join('');
        expect(inboxHash('default', 'dms.document.v2', key)).toBe(text);
      }),
    );
  });

  it.each([
    ['a.b.v2', 'a.b'],
    ['a.b.v12', 'a.b'],
    ['a.b.v', 'a.b.v'],
    ['a.v1.b', 'a.v1.b'],
    ['v1', 'v1'],
  ])('takes %s for %s', (type, bare) => {
    expect(withoutVersion(type)).toBe(bare);
  });
});

describe('partitionOf', () => {
  // FNV-1a-32 test vectors of the algorithm's authors: "" 811c9dc5, "a" e40c292c, "foobar" bf9cf968.
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('is FNV-1a-32 of %j modulo 64', (text, hash) => {
    expect(partitionOf(text)).toBe(hash % PARTITIONS);
  });

  it('spreads run ids over all partitions, none with more than twice its share', () => {
    const counts = new Array<number>(PARTITIONS).fill(0);
    for (let i = 0; i < 64_000; i++) counts[partitionOf(idOf('run', 'default', 'order', i))]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(500);
    expect(Math.max(...counts)).toBeLessThan(2_000);
  });
});
