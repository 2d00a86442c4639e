import { describe, expect, it } from '@jest/globals';
import { idOf, PARTITIONS, type Id } from '@cairn/kernel';
import { ranked } from './rendezvous.js';

const replicas = (n: number, seed = 'replica'): Id[] => Array.from({ length: n }, (_, i) => idOf('random', seed, i));
const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);

describe('ranks for a partition', () => {
  it('are equal in whatever order the replicas were heard', () => {
    const three = replicas(3);
    for (const partition of all) expect(ranked(partition, [...three].reverse())).toEqual(ranked(partition, three));
  });

  it('share the partitions', () => {
    for (let pair = 0; pair < 50; pair++) {
      const [one, two] = replicas(2, `pair-${pair}`) as [Id, Id];
      const share = all.filter((partition) => ranked(partition, [one, two])[0] === one).length / PARTITIONS;
      expect(share).toBeGreaterThan(0.25);
      expect(share).toBeLessThan(0.75);
    }
  });

  it('move only what the replica that went had', () => {
    const four = replicas(4);
    const three = four.slice(0, 3);
    for (const partition of all) {
      const before = ranked(partition, four);
      expect(ranked(partition, three)).toEqual(before.filter((replica) => replica !== four[3]));
    }
  });
});
