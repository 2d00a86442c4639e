import { describe, expect, it } from '@jest/globals';
import { compileDefinition, compileDefinitionText } from './index.js';

/**
 * Goal: B-22 for definitions: a number or duration out of its bounds is refused at its place, whatever it looks like. Method: every field
 * that has bounds, as data, with every value that B-22 names, as an object and as the two kinds of text.
 */
type Fields = { readonly [field: string]: unknown };

const DAY = 86_400_000;
const FIVE_YEARS = 5 * 365 * DAY;
const task: Fields = { id: 'a', task: { queue: 'q' } };
const ofWorkflow = (fields: Fields): Fields => ({ cairn: 1, name: 'one', version: '1.0.0', steps: [task], ...fields });
const ofStep = (fields: Fields): Fields => ofWorkflow({ steps: [{ ...task, ...fields }] });
const ofWait = (fields: Fields): Fields =>
  ofWorkflow({
    steps: [{ id: 'a', wait: { any: [{ signal: 'go' }], deadline: '1d', staleAfter: '1h', onDeadline: { value: 1 }, ...fields } }],
  });
const ofAnyOf = (trigger: Fields): Fields => ofWait({ any: [trigger] });

interface Bound {
  readonly pointer: string;
  readonly min: number;
  readonly max: number;
  readonly of: (value: unknown) => Fields;
  /** Counts are numbers alone; durations are also text. */
  readonly count?: true;
}

const bounds: readonly Bound[] = [
  { pointer: '/steps/0/timeout', min: 1, max: FIVE_YEARS, of: (value) => ofStep({ timeout: value }) },
  { pointer: '/steps/0/lease', min: 5_000, max: 3_600_000, of: (value) => ofStep({ lease: value }) },
  { pointer: '/steps/0/repeat/max', min: 1, max: 100, count: true, of: (value) => ofStep({ repeat: { until: 'true', max: value } }) },
  { pointer: '/steps/0/repeat/pause', min: 1, max: FIVE_YEARS, of: (value) => ofStep({ repeat: { until: 'true', max: 2, pause: value } }) },
  { pointer: '/steps/0/join', min: 1, max: 500, count: true, of: (value) => ofStep({ join: value }) },
  { pointer: '/steps/0/wait/deadline', min: 1, max: FIVE_YEARS, of: (value) => ofWait({ deadline: value }) },
  { pointer: '/steps/0/wait/staleAfter', min: 1, max: FIVE_YEARS, of: (value) => ofWait({ staleAfter: value }) },
  { pointer: '/steps/0/wait/lookBack', min: 1, max: 30 * DAY, of: (value) => ofWait({ lookBack: value }) },
  { pointer: '/steps/0/wait/any/0/timer', min: 1, max: FIVE_YEARS, of: (value) => ofAnyOf({ timer: value }) },
  {
    pointer: '/steps/0/wait/any/0/event/keep',
    min: 1,
    max: 365 * DAY,
    of: (value) => ofAnyOf({ event: { type: 'x', key: 'k', keep: value } }),
  },
  {
    pointer: '/steps/0/wait/atLeast/k',
    min: 1,
    max: 50,
    count: true,
    of: (value) => ofWait({ any: undefined, atLeast: { k: value, of: [{ signal: 'go' }] } }),
  },
  { pointer: '/on/0/keep', min: 1, max: 365 * DAY, of: (value) => ofWorkflow({ on: [{ event: 'x', keep: value }] }) },
  { pointer: '/limits/age', min: 1, max: FIVE_YEARS, of: (value) => ofWorkflow({ limits: { age: value } }) },
  { pointer: '/limits/age', min: 1, max: 300_000, of: (value) => ofWorkflow({ class: 'short', limits: { age: value } }) },
  { pointer: '/limits/occurrences', min: 1, max: 10_000, count: true, of: (value) => ofWorkflow({ limits: { occurrences: value } }) },
  { pointer: '/limits/branches', min: 1, max: 9_999, count: true, of: (value) => ofWorkflow({ limits: { branches: value } }) },
];

const bad = ({ min, max }: Bound): [string, unknown][] => [
  ['0', 0],
  ['-1', -1],
  ['one below', min - 1],
  ['one above', max + 1],
  ['1e9 beyond', max + 1e9],
  ['half', min + 0.5],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['"3"', '3'],
  ['"-5s"', '-5s'],
  ['"0s"', '0s'],
  ['"99999999999d"', '99999999999d'],
  ['"Infinity"', 'Infinity'],
  ['null', null],
  ['true', true],
  ['[3]', [3]],
];

describe('bounds of a definition (B-22)', () => {
  for (const bound of bounds) {
    it.each(bad(bound))(`${bound.pointer}, at most ${bound.max}: %s`, (_, value) => {
      const compiled = compileDefinition(bound.of(value));
      const errors = compiled.ok ? [] : compiled.errors.filter(({ pointer }) => pointer === bound.pointer);
      expect(errors.length).toBeGreaterThan(0);
      for (const { rule, says } of errors) {
        expect(rule).toMatch(/^[a-z][a-zA-Z_-]+$/);
        expect(says).not.toContain('undefined');
      }
    });

    it(`${bound.pointer}, at most ${bound.max}: takes the least and the most`, () => {
      for (const value of [bound.min, bound.max, ...(bound.count === true ? [] : [`PT${Math.floor(bound.max / 1_000)}S`])]) {
        const compiled = compileDefinition(bound.of(value));
        // A join or k beyond what there is to join is another rule's affair.
        expect(compiled.ok ? [] : compiled.errors.filter(({ pointer, rule }) => pointer === bound.pointer && rule !== 'join')).toEqual([]);
      }
    });
  }

  it('a text that reads as infinity is refused in JSON and in YAML', () => {
    const [json, yaml] = [
      JSON.stringify(ofStep({ timeout: 7 })).replace('7', '1e999'),
      JSON.stringify(ofStep({ timeout: 7 })).replace('7', '.inf'),
    ];
    for (const compiled of [compileDefinitionText(json, 'json'), compileDefinitionText(yaml, 'yaml')])
      expect(compiled).toMatchObject({ ok: false, errors: [{ pointer: '/steps/0/timeout', rule: 'number_range' }] });
  });
});
