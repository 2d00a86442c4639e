import { describe, expect, it } from '@jest/globals';
import type { Json } from '@cairn/kernel';
import { applyEdits } from './edits.js';
import type { JsonPatchOp } from './json-patch.js';

// C-REVIEW: an edit stays inside what may be edited, and no number becomes a text on the way (`experience.md` §5).

const value = { amount: 5, limits: { day: 1, tags: ['a'], note: 'n' }, 'a/b': 1, fixed: 7 };
const editable = ['/amount', '/limits', '/a~1b'];
const edit = (...edits: JsonPatchOp[]): Json | string => {
  const edited = applyEdits(value, editable, edits);
  return edited.ok ? edited.value : edited.errors.map(({ pointer, rule }) => `${pointer} ${rule}`).join();
};

describe('edits of a reviewer', () => {
  it('change what may be edited, and in it what the schema of the handler may leave open', () => {
    expect(edit({ op: 'replace', path: '/amount', value: 6 }, { op: 'replace', path: '/a~1b', value: 2 })).toMatchObject({
      amount: 6,
      'a/b': 2,
    });
    expect(edit({ op: 'remove', path: '/limits/note' }, { op: 'add', path: '/limits/tags/-', value: 'b' })).toMatchObject({
      limits: { day: 1, tags: ['a', 'b'] },
    });
    expect(edit({ op: 'add', path: '/limits/more', value: true })).toMatchObject({ limits: { more: true } });
  });

  it.each<[string, JsonPatchOp[]]>([
    ['/edits none', []],
    ['/0/path not_editable', [{ op: 'replace', path: '/fixed', value: 8 }]],
    ['/0/path not_editable', [{ op: 'replace', path: '', value: {} }]],
    ['/0/path not_editable', [{ op: 'replace', path: '/a/b', value: 8 }]],
    ['/0/value type', [{ op: 'replace', path: '/amount', value: '5' }]],
    ['/0/path required', [{ op: 'remove', path: '/amount' }]],
    [
      '/1/value type',
      [
        { op: 'remove', path: '/amount' },
        { op: 'add', path: '/amount', value: '5' },
      ],
    ],
    ['/0/value type', [{ op: 'replace', path: '/limits', value: { day: '1' } }]],
    ['/0/value type', [{ op: 'replace', path: '/limits', value: [] }]],
  ])('are refused as %s: %j', (says, edits) => {
    expect(edit(...edits)).toBe(says === '/edits none' ? ' empty' : says);
  });
});
