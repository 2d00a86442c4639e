import type { Id } from '@cairn/kernel';

/**
 * The replicas by how they rank for a partition, the first of which serves it (`architecture.md` §4.4). Whoever hears the same replicas
 * ranks them alike, a replica that comes or goes moves no partition between others, and with many partitions each gets its share.
 */
export function ranked(partition: number, replicas: Iterable<Id>): readonly Id[] {
  return [...replicas]
    .map((replica) => ({ replica, weight: weightOf(`${replica}/${partition}`) }))
    .sort((a, b) => b.weight - a.weight || (a.replica < b.replica ? -1 : 1))
    .map(({ replica }) => replica);
}

/** FNV-1a, and MurmurHash3's last mix behind it: texts that differ in their last characters alone must not weigh alike. */
function weightOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
