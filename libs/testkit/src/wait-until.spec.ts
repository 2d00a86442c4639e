import { describe, expect, it } from '@jest/globals';
import { waitUntil, within } from './wait-until.js';

describe('waitUntil', () => {
  it('answers the value as soon as there is one', async () => {
    let looks = 0;
    expect(await waitUntil('there are three looks', () => (++looks === 3 ? 'value' : undefined))).toBe('value');
    expect(looks).toBe(3);
  });

  it('says what it waited for, and why the last look failed', async () => {
    const cause = new Error('not yet');
    const waiting = waitUntil('pigs fly', () => Promise.reject(cause), 5);
    await expect(waiting).rejects.toMatchObject({ message: expect.stringContaining('until pigs fly'), cause });
  });

  it('takes 0 and the empty text for values', async () => {
    expect([await waitUntil('zero', () => 0), await waitUntil('empty', () => '')]).toEqual([0, '']);
  });
});

describe('within', () => {
  it('passes a value and a rejection on, and ends a silence', async () => {
    expect(await within('it', Promise.resolve(1), 50)).toBe(1);
    await expect(within('it', Promise.reject(new Error('no')), 50)).rejects.toThrow('no');
    await expect(within('the silent one', new Promise(() => undefined), 5)).rejects.toThrow('for the silent one');
  });
});
