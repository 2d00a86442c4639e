import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idOf } from '@cairn/kernel';
import { openCallbackTokens } from './callback-keys.js';

const claim = { ns: 'default', run: idOf('run', 'a'), wait: 'w', name: 'portal', branch: 'main', revision: 3 };
const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-keys-'));
  folders.push(folder);
  return folder;
};
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

describe('the keys that links are signed with', () => {
  it('are made once in the folder, for their owner alone, whoever of several comes first', async () => {
    const folder = newFolder();
    const all = await Promise.all(Array.from({ length: 8 }, () => openCallbackTokens(undefined, folder)));
    const later = await openCallbackTokens(undefined, folder);
    expect(new Set(all.map((tokens) => tokens.issue(claim)))).toEqual(new Set([later.issue(claim)]));
    expect(statSync(join(folder, 'callback-keys')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['callback-keys']);
  });

  it('are told apart by name, so that links of the key before stay good', async () => {
    const folder = newFolder();
    const before = (await openCallbackTokens(undefined, folder)).issue(claim);
    const file = join(folder, 'callback-keys');
    writeFileSync(file, `k2:${'ab'.repeat(32)}\n${readFileSync(file, 'utf8')}`);
    const after = await openCallbackTokens(undefined, folder);
    expect(after.issue(claim)).toMatch(/^v1\.k2\./);
    expect(after.read(before)).toEqual(claim);
  });

  it.each([
    ['nothing', '\n', 'holds nothing'],
    ['a key that could be guessed', 'k1:abcd', 'at least 32 bytes'],
    ['what is no key', 'changeit', 'a key is <name>:<hex>'],
    ['three keys', ['a', 'b', 'c'].map((kid) => `${kid}:${'ab'.repeat(32)}`).join('\n'), 'one or 2 keys'],
    [
      'two of one name',
      Array(2)
        .fill(`a:${'ab'.repeat(32)}`)
        .join('\n'),
      'same name',
    ],
  ])('are refused as %s, without being repeated (B-50)', async (_, text, says) => {
    const file = join(newFolder(), 'keys');
    writeFileSync(file, text);
    const failed = await openCallbackTokens(file, newFolder()).then(
      () => '',
      (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
    );
    expect(failed).toContain('config_invalid: CAIRN_CALLBACK_KEYS_FILE');
    expect(failed).toContain(says);
    expect(failed).not.toContain('changeit');
  });
});
