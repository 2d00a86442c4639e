import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { root } from './cruise.js';

const run = (...args: string[]): { readonly status: number | null; readonly lastLine: string | undefined; readonly errors: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/test.mjs', ...args], { cwd: root, encoding: 'utf8' });
  return { status, lastLine: stdout.trimEnd().split('\n').at(-1), errors: stderr };
};

describe('npm test', () => {
  it('ends with the count of everything that it ran', () => {
    expect(run('--only', 'build')).toEqual({ status: 0, lastLine: '1 passed, 0 failed', errors: '' });
  });

  it('says which kinds there are instead of running nothing', () => {
    const { status, errors } = run('--only', 'unit,nonsense');
    expect(status).toBe(2);
    expect(errors).toContain('unknown kind: nonsense; there are build lint format fence');
  });
});
