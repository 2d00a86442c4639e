import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@cairn/testkit';
import { lockFolder, shareFolder } from './lock-folder.js';
import { buildForChildren } from './spec/store-child.js';

beforeAll(buildForChildren);

const freshLock = (): string => join(mkdtempSync(join(tmpdir(), 'cairn-lock-')), 'lock.db');
const held = expect.objectContaining({ code: 'folder_locked' });

describe('lockFolder', () => {
  it('lets one in at a time: the second is told at once, and gets in after the first has gone', () => {
    const file = freshLock();
    const first = lockFolder(file);
    expect(() => lockFolder(file)).toThrow(held);
    first.release();
    const second = lockFolder(file);
    expect(() => lockFolder(file)).toThrow(held);
    second.release();
  });

  it('is given free by the system when the process that has it is killed', async () => {
    const file = freshLock();
    const dist = pathToFileURL(join(import.meta.dirname, '../dist/lock-folder.js')).href;
    const code = `const { lockFolder } = await import(${JSON.stringify(dist)}); lockFolder(${JSON.stringify(file)}); console.log('locked'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(() => lockFolder(file)).toThrow(held);
    child.kill('SIGKILL');
    await once(child, 'exit');
    (await waitUntil('the lock is free', () => lockFolder(file))).release();
  });

  it('is shared by those who share it, and kept from whoever wants it alone', () => {
    const file = freshLock();
    const [first, second] = [shareFolder(file), shareFolder(file)];
    expect(() => lockFolder(file)).toThrow(held);
    first.release();
    expect(() => lockFolder(file)).toThrow(held);
    second.release();
    const alone = lockFolder(file);
    expect(() => shareFolder(file)).toThrow(held);
    alone.release();
  });

  it('says store_unavailable where there is no folder', () => {
    expect(() => lockFolder(join(freshLock(), 'nowhere', 'lock.db'))).toThrow(expect.objectContaining({ code: 'store_unavailable' }));
  });
});
