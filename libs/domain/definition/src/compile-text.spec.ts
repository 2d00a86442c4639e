import { describe, expect, it } from '@jest/globals';
import { compileDefinitionText } from './index.js';

const json = (members: string): string => `{"cairn":1,"name":"one","version":"1.0.0",${members}"steps":[{"id":"a","task":{"queue":"q"}}]}`;
const yaml = (lines: string): string => `cairn: 1\nname: one\nversion: 1.0.0\nsteps:\n  - { id: a, task: { queue: q } }\n${lines}\n`;

const rules = (text: string, format: 'json' | 'yaml'): string[] => {
  const compiled = compileDefinitionText(text, format);
  return compiled.ok ? [] : [...new Set(compiled.errors.map(({ rule }) => rule))];
};

describe('a definition as JSON text (T-37, B-1, B-4, B-5, B-7)', () => {
  it.each([
    ['nothing', '', 'invalid_json'],
    ['half a text', '{"cairn":1', 'invalid_json'],
    ['trailing garbage', `${json('')} x`, 'invalid_json'],
    ['a byte order mark', `\ufeff${json('')}`, 'byte_order_mark'],
    ['a name twice', json('"goal":"a","goal":"b",'), 'duplicate_key'],
    ['a name twice, once escaped', json('"goal":"a","\\u0067oal":"b",'), 'duplicate_key'],
    ['a name twice in an inner object', json('"attributes":{"x":"{\\"","x":2},'), 'duplicate_key'],
    ['a number that is infinite', json('"attributes":{"x":1e999},'), 'number_range'],
    ['an integer beyond 2^53', json('"attributes":{"x":9007199254740993},'), 'number_range'],
    ['__proto__', json('"input":{"__proto__":{"polluted":true}},'), 'forbidden_key'],
    ['prototype', json('"input":{"prototype":{}},'), 'forbidden_key'],
    ['constructor.prototype', json('"input":{"constructor":{"prototype":{}}},'), 'forbidden_key'],
    ['toJSON', json('"attributes":{"toJSON":1},'), 'forbidden_key'],
    ['half a surrogate pair', json('"goal":"\\ud800",'), 'not_unicode'],
    ['10,000 levels', json(`"input":{"const":${'['.repeat(10_000)}${']'.repeat(10_000)}},`), 'too_deep'],
    ['256 KiB and a byte', json(`"goal":"${'x'.repeat(256 * 1024)}",`), 'too_large'],
    ['a list', '[]', 'type'],
    ['null', 'null', 'type'],
  ])('refuses %s', (_, text, rule) => {
    expect(rules(text, 'json')).toEqual([rule]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('never echoes what it could not read', () => {
    const compiled = compileDefinitionText('{"secret-of-the-house": nope}', 'json');
    expect(JSON.stringify(compiled)).not.toContain('secret');
  });

  it('takes names that are equal in different objects, and brackets and quotes inside strings', () => {
    expect(rules(json('"goal":"a \\"{[,goal:","attributes":{"goal":1},'), 'json')).toEqual([]);
  });
});

describe('a definition as YAML text (T-38, B-40)', () => {
  it.each([
    ['an anchor without alias', yaml('goal: &x text'), 'yaml_feature'],
    ['an alias', yaml('attributes: { a: &x 1, b: *x }'), 'yaml_feature'],
    ['a standard tag', yaml('goal: !!str 1'), 'yaml_feature'],
    ['an own tag', yaml('goal: !foo 2'), 'yaml_feature'],
    ['a tag of a language', yaml('goal: !!js/function "function () {}"'), 'yaml_feature'],
    ['a directive', `%TAG ! tag:x,2000:\n---\n${yaml('')}`, 'yaml_feature'],
    ['a bomb of aliases', 'a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n', 'yaml_feature'],
    ['a key twice', yaml('goal: a\ngoal: b'), 'duplicate_key'],
    ['a key twice in an inner map', yaml('attributes: { x: 1, "x": 2 }'), 'duplicate_key'],
    ['two documents', `${yaml('')}---\n${yaml('')}`, 'invalid_yaml'],
    ['a key that is no text', yaml('attributes: { [1]: 2 }'), 'invalid_yaml'],
    ['bad indentation', 'cairn: 1\n name: x\n', 'invalid_yaml'],
    ['a version that is a fraction', 'cairn: 1\nname: one\nversion: 3.2\nsteps: [{ id: a, task: { queue: q } }]', 'type'],
    ['.inf', yaml('attributes: { x: .inf }'), 'number_range'],
    ['.nan', yaml('attributes: { x: .nan }'), 'number_range'],
    ['an integer beyond 2^53', yaml('attributes: { x: 9007199254740993 }'), 'number_range'],
    ['__proto__', yaml('input: { __proto__: { polluted: true } }'), 'forbidden_key'],
    ['deep brackets', '['.repeat(100_000), 'too_deep'],
    ['deep lists on one line, which would abort the process', `${'- '.repeat(100_000)}a`, 'too_deep'],
    ['deep braces', '{a: '.repeat(20_000), 'too_deep'],
    ['more tokens than a definition has', `[${'a,'.repeat(100_000)}]`, 'too_large'],
    ['256 KiB and a byte', `# ${'x'.repeat(256 * 1024)}`, 'too_large'],
    ['nothing', '', 'type'],
  ])('refuses %s', (_, text, rule) => {
    expect(rules(text, 'yaml')).toEqual([rule]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('names the line', () => {
    const compiled = compileDefinitionText(yaml('goal: |\n  &not an anchor\nclass: !x long'), 'yaml');
    expect(compiled).toMatchObject({ ok: false, errors: [{ rule: 'yaml_feature', says: expect.stringContaining('line 8') }] });
  });

  it('takes &, * and ! inside texts', () => {
    expect(rules(yaml('goal: "&a *b !c"\nattributes: { x: a & b * c ! d }\n# &comment\n'), 'yaml')).toEqual([]);
  });

  it('finds a repeated key among 8,000 without comparing each with each', () => {
    expect(rules(Array.from({ length: 8_001 }, (_, i) => `k${i % 8_000}: 1`).join('\n'), 'yaml')).toEqual(['duplicate_key']);
  });
});
