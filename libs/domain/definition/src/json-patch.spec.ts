import { describe, expect, it } from '@jest/globals';
import { applyPatch, type JsonPatchOp } from './json-patch.js';

const value = { queue: 'a', params: { list: '1', more: [1, 2] } };

describe('a JSON Patch', () => {
  it('changes a copy, in its order', () => {
    const patched = applyPatch(value, [
      { op: 'replace', path: '/queue', value: 'b' },
      { op: 'add', path: '/params/more/-', value: 3 },
      { op: 'remove', path: '/params/list' },
      { op: 'test', path: '/queue', value: 'b' },
    ]);
    expect(patched).toEqual({ ok: true, value: { queue: 'b', params: { more: [1, 2, 3] } } });
    expect(value).toEqual({ queue: 'a', params: { list: '1', more: [1, 2] } });
  });

  it('may take the place of the whole value', () => {
    expect(applyPatch(value, [{ op: 'replace', path: '', value: 7 }])).toEqual({ ok: true, value: 7 });
  });

  it.each<[JsonPatchOp, string]>([
    [{ op: 'replace', path: '/params/none', value: 1 }, 'path_missing'],
    [{ op: 'add', path: '/none/deep', value: 1 }, 'path_missing'],
    [{ op: 'remove', path: '/none' }, 'path_missing'],
    [{ op: 'test', path: '/queue', value: 'x' }, 'test_failed'],
    [{ op: 'add', path: 'queue', value: 1 }, 'pointer'],
    [{ op: 'add', path: '/__proto__/polluted', value: 1 }, 'forbidden'],
    [{ op: 'add', path: '/params/constructor', value: 1 }, 'forbidden'],
  ])('that cannot be made changes nothing: %j is %s', (op, rule) => {
    expect(applyPatch(value, [{ op: 'replace', path: '/queue', value: 'b' }, op])).toMatchObject({ ok: false, index: 1, rule });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
