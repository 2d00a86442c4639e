import { describe, expect, it } from '@jest/globals';
import { Pcg32 } from './pcg32.js';

describe('Pcg32', () => {
  it('gives the numbers of the reference implementation (pcg32-demo, seed 42, stream 54)', () => {
    const random = new Pcg32(42n, 54n);
    const numbers = Array.from({ length: 6 }, () => random.uint32());
    expect(numbers).toEqual([0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e]);
  });

  it('forks by name: equal for an equal name, and untouched by the draws of others', () => {
    const [one, other] = [new Pcg32(1n), new Pcg32(1n)];
    for (let i = 0; i < 100; i++) other.uint32();
    const draw = (random: Pcg32) => Array.from({ length: 5 }, () => random.uint32());
    expect(draw(other.fork('bus'))).toEqual(draw(one.fork('bus')));
    expect(draw(one.fork('store'))).not.toEqual(draw(one.fork('bus')));
    expect(draw(new Pcg32(2n).fork('bus'))).not.toEqual(draw(one.fork('bus')));
  });

  it('draws below a limit, picks, and takes chances as often as it should', () => {
    const random = new Pcg32(5n);
    const counts = [0, 0, 0];
    for (let i = 0; i < 3_000; i++) counts[random.below(3)]!++;
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
    expect(new Set(Array.from({ length: 50 }, () => random.pick(['a', 'b']))).size).toBe(2);
    const taken = Array.from({ length: 1_000 }, () => random.chance(0.1)).filter(Boolean).length;
    expect(Math.abs(taken - 100)).toBeLessThan(60);
  });
});
