import { describe, expect, it } from '@jest/globals';
import { Generations } from './generations.js';

describe('generations', () => {
  it('keep what was used last and never more than their bound', () => {
    const kept = new Generations<string, number>(4);
    kept.set('a', 1);
    for (const key of ['b', 'c', 'd', 'e']) {
      expect(kept.get('a')).toBe(1);
      kept.set(key, 0);
    }
    expect(['b', 'c', 'd', 'e'].filter((key) => kept.get(key) !== undefined).length).toBeLessThan(4);
  });

  it('forget what is deleted in whichever generation it is', () => {
    const kept = new Generations<string, number>(2);
    kept.set('a', 1);
    kept.set('b', 2);
    kept.delete('a');
    expect(kept.get('a')).toBeUndefined();
  });
});
