import { describe, expect, it } from '@jest/globals';
import { JSON_DEPTH_MAX, type Json } from '@cairn/kernel';
import { foreignJson } from './foreign-json.js';

const nested = (depth: number): Json => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as Json;

describe('what a stranger sends as JSON', () => {
  it.each<[string, string, RegExp | undefined]>([
    ['plain values', '{"a":[1,1.5,-2,"ü",true,null,{"b":{}}]}', undefined],
    ['a large number that is no integer of theirs', '[1e300]', undefined],
    ['a number beyond a double', '[1e999]', /beyond what a double/],
    ['an integer beyond 2^53', '{"n":9007199254740993}', /beyond 2\^53/],
    ['half a surrogate', '["\\ud800"]', /half a surrogate/],
    ['half a surrogate in a name', '{"\\udc00":1}', /name of a field/],
    ['a name that reaches a prototype', '{"a":{"__proto__":1}}', /no field may bear/],
  ])('%s', (_, text, says) => {
    const wrong = foreignJson(JSON.parse(text) as Json);
    if (says === undefined) expect(wrong).toBeUndefined();
    else expect(wrong).toMatch(says);
  });

  it('is bounded in depth, whatever the depth', () => {
    expect(foreignJson(nested(JSON_DEPTH_MAX))).toBeUndefined();
    expect(foreignJson(nested(JSON_DEPTH_MAX + 2))).toMatch(/nested deeper/);
    expect(foreignJson(nested(100_000))).toMatch(/nested deeper/);
  });
});
