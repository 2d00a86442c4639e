import { buckets } from '@cairn/domain-definition';
import { OTHER } from './workflow-labels.js';

const KNOWN: ReadonlySet<string> = new Set(buckets);

/** Values of the label `bucket`: our own vocabulary. A team's own kinds (`x-…`) are told as `other`, or the set would not be closed. */
export const bucketLabels: readonly string[] = [...buckets, OTHER];

export const bucketLabel = (bucket: string): string => (KNOWN.has(bucket) ? bucket : OTHER);
