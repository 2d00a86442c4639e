import { expect, it } from '@jest/globals';
import { at, readPointer } from './index.js';

// The examples of RFC 6901 §5, and what it does not have an example for.
const rfc = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'i\\j': 5, 'k"l': 6, ' ': 7, 'm~n': 8 };

it.each<[string, unknown]>([
  ['', rfc],
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/e^f', 3],
  ['/i\\j', 5],
  ['/k"l', 6],
  ['/ ', 7],
  ['/m~0n', 8],
  ['/m~01n', undefined],
  ['/foo/2', undefined],
  ['/foo/01', undefined],
  ['/foo/-', undefined],
  ['/foo/length', undefined],
  ['/foo/0/x', undefined],
  ['/bar', undefined],
  ['/bar/baz', undefined],
  ['/constructor', undefined],
  ['/__proto__', undefined],
])('reads %j', (pointer, value) => {
  expect(readPointer(rfc, pointer)).toEqual(value);
});

it('writes what it reads', () => {
  for (const name of Object.keys(rfc)) expect(readPointer(rfc, at('', name))).toBe(rfc[name as keyof typeof rfc]);
});
