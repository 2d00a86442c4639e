import { describe, expect, it } from '@jest/globals';
import type { Json } from '@cairn/kernel';
import { compileTemplate } from './template.js';

const scope = { input: { id: 'V-1', n: 60_000, ok: true, list: [1], nothing: null, text: 'x'.repeat(40_000) } };
const compile = (value: Json): ReturnType<typeof compileTemplate> => compileTemplate(value, ['input', 'steps']);
const evaluate = (value: Json): unknown => {
  const { template, problems } = compile(value);
  expect(problems).toEqual([]);
  const result = template.evaluate(scope);
  return result.ok ? result.value : `error: ${result.error}`;
};

describe('a template', () => {
  it.each<[string, Json, unknown]>([
    ['keeps the type of a string that is one expression', '${input.n}', 60_000],
    ['keeps lists and objects', { a: ['${input.list}', { b: '${input}' }] }, { a: [[1], { b: scope.input }] }],
    ['joins text', 'vendor:${input.id}:activate', 'vendor:V-1:activate'],
    ['joins numbers and bools as JSON writes them', '${input.n}/${input.ok}', '60000/true'],
    ['keeps what stands between', '${input.id}${input.id}', 'V-1V-1'],
    ['reads braces inside an expression', "${{'a': {'b': input.n}}.a.b}", 60_000],
    ['reads quotes inside an expression', '${"}" + input.id + \'{\'}', '}V-1{'],
    ['reads escaped quotes', "${'it\\'s }' + input.id}", "it's }V-1"],
    ['reads raw and long strings', `\${r"a}\\" + '''b}'c''' + input.id}`, `a}\\b}'cV-1`],
    ['lets a lone $ and braces be text', 'costs $5 {really}', 'costs $5 {really}'],
    ['gives a literal ${ from an expression', "${'$' + '{'}x", '${x'],
    ['refuses null inside a text', 'a ${input.nothing}', 'error: ${input.nothing} gives no text, number or bool'],
    ['refuses a list inside a text', 'a ${input.list}', 'error: ${input.list} gives no text, number or bool'],
    ['passes on an error', { a: '${input.zz}' }, 'error: field not found: zz'],
    ['refuses more than 64 KiB', ['${input.text}', '${input.text}'], 'error: larger than 65536 bytes; use an artifact'],
  ])('%s', (_, value, expected) => {
    expect(evaluate(value)).toEqual(expected);
  });

  it('without expressions is constant and gives the same value for nothing', () => {
    const value = { a: [1, 'b', null] };
    const { template } = compile(value);
    const [first, second] = [template.evaluate({}), template.evaluate({})];
    expect(template.constant).toBe(true);
    expect(first).toBe(second);
    expect(first.ok && first.value).toBe(value);
  });

  it('names the steps that it reads, once', () => {
    expect(compile(['${steps.a.output}', "${steps.a.status + steps['b-c'].status}"]).template.stepRefs).toEqual(['a', 'b-c']);
  });

  it.each([
    ['${}', '/x/1'],
    ['${ input.a', '/x/1'],
    ["${'open}", '/x/1'],
    ['${input.a +}', '/x/1'],
    ['${nope.a}', '/x/1'],
  ])('refuses %s, with its place', (text, pointer) => {
    expect(compile({ x: ['fine', text] }).problems).toMatchObject([{ pointer }]);
  });
});
