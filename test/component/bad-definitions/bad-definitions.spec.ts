// Goal: each rule that refuses a definition or a policy has one bad document that fires it, and no other (C-GUARD, C-DEFINE, C-EXHAUSTED,
// C-WHYRETRY). Method: files as an author writes them, `# <rule> <pointer>` first; the command line as he runs it, without a server.
import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'corpus');
const root = join(import.meta.dirname, '../../..');
const files = readdirSync(folder)
  .sort()
  .map((name) => {
    const file = join(folder, name);
    const [, rule = '', pointer = ''] = /^# (\S+) (\S+)\n/.exec(readFileSync(file, 'utf8')) ?? [];
    return { file, name, rule, pointer };
  });

interface Linted {
  readonly file: string;
  readonly ok: boolean;
  readonly errors: readonly { readonly pointer: string; readonly rule: string; readonly says: string }[];
}

/** Rules of the design that concern what exists (`capabilities.md` §3.4). */
const OF_THE_DESIGN = [
  ...['deadline', 'key', 'staleness'].map((what) => `wait-without-${what}`),
  ...['review', 'purpose', 'guarantee'].map((what) => `effect-without-${what}`),
  'review-without-deadline',
  'retry-without-exhaustion',
  'retry-without-expectation',
  ...['loop-unbounded', 'nullable-ref', 'unknown-ref', 'cycle', 'unreachable', 'duplicate-id', 'side-never-named'],
];

describe('bad definitions', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'services/cli/bin/cairn.js'), 'def', 'lint', '--json', ...files.map(({ file }) => file)],
    { encoding: 'utf8', cwd: root },
  );
  const linted = new Map(((JSON.parse(stdout) as { readonly files: readonly Linted[] }).files ?? []).map((one) => [one.file, one]));

  it('make the command end with 1', () => expect(status).toBe(1));

  it.each(files)('$name: $rule at $pointer', ({ file, rule, pointer }) => {
    const { ok, errors } = linted.get(file) ?? { ok: true, errors: [] };
    expect({ ok, errors: errors.map((error) => `${error.rule} ${error.pointer}`) }).toEqual({ ok: false, errors: [`${rule} ${pointer}`] });
    expect(errors[0]?.says).toMatch(/\w{3}/);
  });

  it('fire every rule of the design that concerns what exists, and every rule that the page of definitions names', () => {
    const fired = new Set(files.map(({ rule }) => rule));
    const [, page = ''] = readFileSync(join(root, 'docs/reference/definitions.md'), 'utf8').split('\n## Lint\n');
    const table = [...page.matchAll(/^\| `([a-z_-]+)` \|/gm)].map(([, rule = '']) => rule);
    expect(OF_THE_DESIGN.filter((rule) => !table.includes(rule))).toEqual([]);
    expect(table.filter((rule) => !fired.has(rule))).toEqual([]);
    expect([...fired].filter((rule) => !table.includes(rule))).toEqual([]);
  });
});
