import { describe, expect, it } from '@jest/globals';
import { idOf } from '@cairn/kernel';
import { hmacCallbackTokens, type CallbackKey } from './callback-tokens.js';

const key = (kid: string, byte: number): CallbackKey => ({ kid, secret: Buffer.alloc(32, byte) });
const claim = { ns: 'default', run: idOf('run', 'a'), wait: 'documents', name: 'portal', branch: 'main', revision: 3 };

describe('tokens of callbacks (B-30)', () => {
  const tokens = hmacCallbackTokens([key('k1', 1)]);
  const token = tokens.issue(claim);

  it('are read by who issued them, and are the same for the same claim', () => {
    expect(tokens.read(token)).toEqual(claim);
    expect(tokens.issue({ ...claim })).toBe(token);
    expect(tokens.issue({ ...claim, revision: 4 })).not.toBe(token);
    expect(token).toMatch(/^v1\.k1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/); // Stands in a URL as it is.
  });

  it('are nothing with any one letter changed, cut, lengthened or empty', () => {
    for (let i = 0; i < token.length; i += 1) {
      const other = token[i] === 'A' ? 'B' : 'A';
      expect(tokens.read(token.slice(0, i) + other + token.slice(i + 1))).toBeUndefined();
      expect(tokens.read(token.slice(0, i))).toBeUndefined();
    }
    for (const text of [`${token}A`, `${token}.`, `${token}=`, ` ${token}`, '', '....', 'v1.k1..', 'x'.repeat(100_000)])
      expect(tokens.read(text)).toBeUndefined();
  });

  it('keep version and key under the signature', () => {
    const both = hmacCallbackTokens([key('k2', 2), key('k1', 1)]);
    expect(both.read(token)).toEqual(claim); // The key that signed before is still known.
    expect(both.issue(claim)).toMatch(/^v1\.k2\./);
    expect(both.read(token.replace('.k1.', '.k2.'))).toBeUndefined();
    expect(both.read(token.replace('v1', 'v2'))).toBeUndefined();
    expect(hmacCallbackTokens([key('k1', 9)]).read(token)).toBeUndefined();
  });
});
