import { describe, expect, it } from '@jest/globals';
import { compileExpression, compileValue } from './cel.js';
import type { Scope } from './expressions.js';

const scope: Scope = {
  input: { n: 3, s: 'x', list: [1, 2, 3], nothing: null, inner: { b: [1, { c: 2 }] }, 'a-b': 1, at: '2026-01-01T00:00:00Z' },
  steps: {
    screen: { status: 'succeeded', output: { risk: 0.5 }, attempts: 1 },
    skipped: { status: 'skipped', output: null, attempts: 0 },
    'fetch-doc': { status: 'succeeded', output: 7, attempts: 1 },
  },
};
const ROOTS = ['input', 'steps'] as const;

const valueOf = (source: string, over: Scope = scope): unknown => {
  const compiled = compileValue(source, ROOTS);
  if (!compiled.ok) return `refused: ${compiled.says}`;
  const result = compiled.expression.evaluate(over);
  return result.ok ? result.value : `error: ${result.error}`;
};

describe('what CEL gives becomes plain JSON', () => {
  it.each<[string, unknown]>([
    ['input.n', 3],
    ['input.inner', { b: [1, { c: 2 }] }],
    ['input.inner.b[1].c', 2],
    ["input['a-b']", 1],
    ["steps['fetch-doc'].output", 7],
    ['size(input.list)', 3],
    ['7', 7],
    ['7u', 7],
    ['input.list.map(x, x * 2.0)', [2, 4, 6]],
    ['input.list.filter(x, x > 1.0)', [2, 3]],
    ["{'k': input.inner, 'n': size(input.list)}", { k: { b: [1, { c: 2 }] }, n: 3 }],
    ['input.list + [4]', [1, 2, 3, 4]],
    ['input.nothing', null],
    ["input.n > 2 ? 'big' : 'small'", 'big'],
    ["'k:' + string(input.n)", 'k:3'],
    ["string(timestamp(input.at) + duration('2h'))", '2026-01-01T02:00:00Z'],
    ['input.n == 3', true],
    ['has(input.x)', false],
    ['has(steps.screen.output.risk)', true],
    ['type(input.s) == string', true],
    ['input.x == 1 || input.n == 3.0', true], // The side that errs does not matter.
  ])('%s', (source, expected) => {
    expect(valueOf(source)).toEqual(expected);
  });

  it('gives the recorded value itself for a plain path', () => {
    expect(valueOf('input.inner')).toBe((scope.input as { inner: unknown }).inner);
  });
});

describe('an error of evaluation is a value with a sentence', () => {
  it.each([
    ['input.amont', 'field not found: amont'],
    ['input.s.x', 'field not found: x'],
    ['steps.skipped.output.risk', 'field not found: risk'],
    ['input.toString', 'field not found: toString'],
    ['input.constructor', 'field not found: constructor'],
    ['input.__proto__', 'field not found: __proto__'],
    ['input.n + 1', 'found no matching overload'], // JSON numbers are doubles.
    ['1 / 0', 'divide by zero'],
    ['input.list[9]', 'out of bounds'],
    ['timestamp(input.at)', 'not JSON'],
    ["duration('1h')", 'not JSON'],
    ['type(input.n)', 'not JSON'],
    ["b'abc'", 'not JSON'],
    ['{1: 2}', 'a map needs strings for keys'],
    ["{'__proto__': 1}", 'a key is not allowed'],
    ['9007199254740993', 'beyond 2^53'],
    ['1e400', 'not finite'],
  ])('%s', (source, says) => {
    expect(valueOf(source)).toContain(says);
    expect(valueOf(source)).toContain('error: ');
  });

  it('says which root is absent', () => {
    expect(valueOf('input.n', {})).toBe('error: unresolved attribute: input');
    expect(valueOf('input.n == 1', {})).toContain('unresolved attribute');
  });

  it.each(['input.n', 'input.nothing', "'true'", 'input.list'])('a condition that gives %s is no condition', (source) => {
    const compiled = compileExpression(source, ROOTS);
    expect(compiled.ok && compiled.expression.evaluate(scope)).toMatchObject({ ok: false, error: expect.stringContaining('not a bool') });
  });
});

describe('limits hold before anything is evaluated', () => {
  it.each([
    ['1,025 characters', `'${'x'.repeat(1023)}'`, '1024 characters'],
    ['201 nodes', Array.from({ length: 101 }, () => '1').join('+'), /nodes|nested deeper/],
    ['25 levels', `${'['.repeat(25)}1${']'.repeat(25)}`, 'nested deeper than 24'],
    ['a stack of parentheses', `${'('.repeat(500)}1${')'.repeat(500)}`, /not a CEL|nested/],
    ['a comprehension inside another (B-26)', 'input.list.all(x, input.list.all(y, x == y))', 'a comprehension inside another'],
    ['a comprehension inside a map inside', 'input.list.map(x, input.list.filter(y, y > x))', 'a comprehension inside another'],
    ['an unknown root', 'process.env', 'process is not known here; known: input, steps'],
    ['this (B-24)', 'this', 'this is not known here'],
    ['a call of a call (B-24)', "constructor.constructor('x')()", 'not a CEL expression'],
    ['a method that does not exist', "input.s.constructor('x')", 'there is no function constructor()'],
    ['a function that does not exist', "eval('1')", 'there is no function eval()'],
    ['a type of a message', 'google.protobuf.Struct{}', 'there is no type'],
    ['all steps at once', 'size(steps)', 'steps are named one by one'],
    ['a step named by a value', 'steps[input.s].output', 'steps are named one by one'],
    ['a name with - as minus (T-35)', 'steps.fetch-doc.output == 7', "write steps['fetch-doc']"],
    ['a name with - and a number (T-35)', 'steps.screen-1 == 7', "write steps['screen-1']"],
    ['a reserved word', 'input.in', 'not a CEL expression'],
    ['nothing', '', 'not a CEL expression'],
  ])('%s', (_, source, says) => {
    const compiled = compileExpression(source, ROOTS);
    expect(compiled).toMatchObject({
      ok: false,
      says: typeof says === 'string' ? expect.stringContaining(says) : expect.stringMatching(says),
    });
  });

  it('takes one comprehension after another', () => {
    expect(valueOf('input.list.filter(x, x > 1.0).map(x, x + 1.0)')).toEqual([3, 4]);
  });

  it('names the steps that are read', () => {
    const compiled = compileExpression("steps.screen.output.risk > 0.4 && steps['fetch-doc'].output == 7", ROOTS);
    expect(compiled.ok && compiled.expression.stepRefs).toEqual(['screen', 'fetch-doc']);
  });
});

describe('hostile values cost little (B-25, B-26)', () => {
  const long = 'a'.repeat(50_000);

  it('matches (a+)+$ against 50,000 characters in linear time', () => {
    const began = process.cpuUsage();
    expect(valueOf("input.s.matches('^(a+)+$')", { input: { s: `${long}b` } })).toBe(false);
    const { user, system } = process.cpuUsage(began); // Not time: who else is on this core is none of its cost.
    expect(user + system).toBeLessThan(2_000_000); // A backtracking engine needs longer than the universe has.
  });

  it('walks over 1,000 items and no more', () => {
    const list = (length: number): Scope => ({ input: { list: Array.from({ length }, (_, i) => i) } });
    expect(valueOf('input.list.map(x, x + 1.0)', list(1_000))).toHaveLength(1_000);
    expect(valueOf('input.list.all(x, x >= 0.0)', list(1_000))).toBe(true);
    expect(valueOf('input.list.all(x, x >= 0.0)', list(1_001))).toContain('a list of 1001 items');
    expect(valueOf('(input.list + input.list).map(x, x)', list(600))).toContain('a list of 1200 items');
  });

  it('builds no more than 64 KiB', () => {
    expect(valueOf('input.list.map(x, input.s)', { input: { list: Array.from({ length: 100 }, () => 1), s: long } })).toContain(
      'larger than',
    );
    expect(valueOf('input.list.map(x, input.list)', { input: { list: Array.from({ length: 1_000 }, () => 1) } })).toContain('larger than');
  });

  it('keeps at most 300 characters of an error', () => {
    expect(String(valueOf(`input.${'x'.repeat(900)} == 1`)).length).toBeLessThan(320);
  });
});
