import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './cruise.js';
import { files, modulesOf, packages, texts } from './repository.js';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** `file:line` of each line that matches. */
function linesThat(matches: RegExp, among: readonly string[]): string[] {
  return among.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, i) => (matches.test(line) ? [`${file}:${i + 1} ${line.trim()}`] : [])),
  );
}

const itself = 'test/architecture/housekeeping.spec.ts';
const sources = texts.filter((file) => /\.(ts|mjs|js|py)$/.test(file) && file !== itself);
const specs = sources.filter((file) => file.endsWith('.spec.ts'));

describe('every package', () => {
  const members = packages.filter(({ dir }) => dir !== '.');

  it('has a README: what it is, one example, what holds, what it refuses', () => {
    expect(packages.map(({ dir }) => join(dir, 'README.md')).filter((file) => !files.includes(file))).toEqual([]);
  });

  it('names exact versions', () => {
    const inexact = packages.flatMap(({ dir, manifest }) =>
      Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
        .map(([name, version]) => `${dir}: ${name} ${version}`),
    );
    expect(inexact).toEqual([]);
  });

  it('has one barrel: no inner index', () => {
    const inner = files.filter((file) => file.endsWith('/index.ts') && !members.some(({ dir }) => file === `${dir}/src/index.ts`));
    expect(inner).toEqual([]);
  });

  it('has the entries that its package.json shows', () => {
    const entries = members.flatMap(({ dir, manifest }) => modulesOf(manifest).map((module) => join(dir, module)));
    expect(entries.filter((file) => !files.includes(file))).toEqual([]);
  });
});

describe('docs/dependencies.md', () => {
  const rows = new Set(
    [...read('docs/dependencies.md').matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) =>
      cell.replaceAll('`', '').split(', '),
    ),
  );
  const used = new Set(
    packages
      .flatMap(({ manifest }) => Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }))
      .filter((name) => !name.startsWith('@cairn/')),
  );

  it('has a row for each package from outside: what, why, licence, who could replace it', () => {
    expect([...used].filter((name) => !rows.has(name)).sort()).toEqual([]);
  });

  it('has no row for a package that nobody uses', () => {
    expect([...rows].filter((name) => !used.has(name)).sort()).toEqual([]);
  });
});

describe('no file', () => {
  it('holds an open end without the number of its issue', () => {
    expect(linesThat(/\b(FIXME|XXX|HACK)\b|\bTODO\b(?!\(#\d+\))/, sources)).toEqual([]);
  });

  it('skips a test or runs one alone: what cannot run here calls notRun() with its reason', () => {
    expect(linesThat(/\b(it|test|describe)\.(skip|only|todo|failing)\b|\b(xit|xdescribe|xtest|fit|fdescribe)\(/, specs)).toEqual([]);
  });

  it('names a place on somebody’s machine', () => {
    expect(
      linesThat(
        /(^|[\s'"`(=])\/(home|Users|root|mnt|private|tmp|work\/main|work\/shared)\/[\w.-]/,
        texts.filter((file) => file !== itself),
      ),
    ).toEqual([]);
  });

  it('is called after nothing in particular', () => {
    expect(files.filter((file) => /(^|\/)(utils?|common|helpers?|misc|types)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});

describe('an ADR', () => {
  const adrs = files.filter((file) => file.startsWith('docs/adr/'));

  it('has a number of its own and its sentence for a title', () => {
    expect(adrs.length).toBeGreaterThan(0);
    const numbers = adrs.map((file) => file.slice('docs/adr/'.length, 'docs/adr/0000'.length));
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const file of adrs) expect(read(file)).toMatch(new RegExp(`^# ${file.slice('docs/adr/'.length).slice(0, 4)}\\. [A-Z@]`));
  });
});
