import { isNamespace } from '@cairn/kernel';
import { z } from 'zod';

const policyApplied = z.looseObject({
  ns: z.string().refine(isNamespace, 'a namespace'),
  name: z.string(),
  version: z.int().positive(),
  hash: z.string().startsWith('sha256:'),
  policy: z.looseObject({ cairn: z.literal(1), policy: z.string(), buckets: z.record(z.string(), z.looseObject({ retry: z.boolean() })) }),
});

/** What the data of each event must look like to be read. Loose: later releases may add fields, never take one away. */
export const eventSchemas: Readonly<Record<string, z.ZodType>> = { 'PolicyApplied@1': policyApplied };
