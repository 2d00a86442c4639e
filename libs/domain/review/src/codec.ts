import { z } from 'zod';

const id = z.string().regex(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/);
const instant = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const json = z.json();
const verdict = z.enum(['approve', 'reject', 'edit', 'revise']);
const patch = z.array(
  z.union([
    z.object({ op: z.enum(['add', 'replace', 'test']), path: z.string(), value: json }),
    z.object({ op: z.literal('remove'), path: z.string() }),
  ]),
);

/** What the data of each event of a review's stream must look like to be read. Later releases may add fields, never take one away. */
export const eventSchemas = {
  'ReviewOpened@1': z.looseObject({
    reviewId: id,
    run: id,
    branch: z.string(),
    requested: z.number(),
    workflow: z.string(),
    goal: z.string().nullable(),
    step: z.string(),
    why: z.string(),
    queue: z.string(),
    risk: z.enum(['low', 'medium', 'high', 'critical']),
    question: z.string(),
    options: z.array(z.looseObject({ id: z.string(), label: z.string(), verdict, then: z.string(), preview: z.string() })),
    subjects: z.array(
      z.looseObject({
        step: z.string(),
        input: json,
        params: json,
        effect: z.looseObject({ key: z.string(), fingerprint: sha256 }).nullable(),
        digest: sha256,
        problem: z.string().optional(),
      }),
    ),
    subjectDigest: sha256,
    previous: id.optional(),
    attemptId: id.optional(),
    diffToPrevious: z.array(z.looseObject({ path: z.string(), before: json, after: json })).optional(),
    editable: z.array(z.string()),
    candidates: z.array(z.string()),
    quorum: z.looseObject({ of: z.number(), notSameAs: z.array(z.string()) }),
    excluded: z.array(z.looseObject({ who: z.string(), because: z.string() })),
    deadline: instant,
    onDeadline: z.string(),
    escalate: z.array(z.looseObject({ to: z.string(), at: instant })),
    evidence: z.array(json),
    assumptions: z.array(z.string()),
  }),
  'ReviewClaimed@1': z.looseObject({ reviewId: id, by: z.string(), takenFrom: z.string().optional() }),
  'ReviewReleased@1': z.looseObject({ reviewId: id, by: z.string() }),
  'ReviewReassigned@1': z.looseObject({ reviewId: id, by: z.string(), to: z.string(), reason: z.string().optional() }),
  'ReviewCommented@1': z.looseObject({ reviewId: id, by: z.string(), text: z.string() }),
  'VoteCast@1': z.looseObject({
    reviewId: id,
    by: z.string(),
    verdict: z.enum(['approve', 'reject', 'edit', 'revise', 'abstain']),
    option: z.string().optional(),
    subjectDigest: sha256,
    edits: patch.optional(),
    guidance: z.string().optional(),
    reason: z.string(),
  }),
  'ReviewDecided@1': z.looseObject({
    reviewId: id,
    verdict,
    option: z.string(),
    subjectDigest: sha256,
    by: z.array(z.string()).min(1),
    reason: z.string(),
    edits: patch.optional(),
    guidance: z.string().optional(),
  }),
  'ReviewEscalated@1': z.object({
    reviewId: id,
    step: z.string().min(1),
    level: z.number(),
    to: z.string().nullable(),
    because: z.enum(['chain', 'deadline', 'person']),
    reason: z.string().optional(),
  }),
  'ReviewExpired@1': z.looseObject({ reviewId: id, then: z.string() }),
  'ReviewClosed@1': z.looseObject({
    reviewId: id,
    because: z.enum(['withdrawn', 'invalidated']),
    says: z.string(),
    notApplied: z.number().optional(),
  }),
} as const satisfies Readonly<Record<string, z.ZodType>>;
