import type { Id, Instant, Json, JsonObject, Principal } from '@cairn/kernel';
import { z } from 'zod';
import { REASON_MAX } from './http.js';
import type { RejectionBody } from './messages.js';

/** What a person may do with a review; the last token of `subjects.command(ns, 'human-review', …)`, with `-review` behind it. */
export const reviewVerbs = ['claim', 'release', 'reassign', 'comment', 'vote', 'decide', 'escalate'] as const;
export type ReviewVerb = (typeof reviewVerbs)[number];

/** Characters of a comment. */
export const COMMENT_MAX = 4_000;
/** Characters of the guidance that a revision gives. */
export const GUIDANCE_MAX = 4_000;

/** The review object (`capabilities.md` §3.5). */
export interface ReviewView {
  readonly review: Id;
  readonly status: 'open' | 'claimed' | 'decided' | 'expired' | 'withdrawn' | 'invalidated';
  /** What a decision must name, with `subjectDigest`. */
  readonly revision: number;
  readonly run: Id;
  readonly branch: string;
  readonly workflow: string;
  readonly goal: string | null;
  readonly step: string;
  readonly why: string;
  readonly queue: string;
  readonly risk: string;
  readonly question: string;
  readonly options: readonly {
    readonly id: string;
    readonly label: string;
    readonly verdict: string;
    readonly then: string;
    readonly preview: string;
  }[];
  /** What the server made canonical: exactly what is approved. */
  readonly subjects: readonly {
    readonly step: string;
    readonly input: Json;
    readonly params: Json;
    readonly effect: { readonly key: string; readonly fingerprint: string } | null;
    readonly digest: string;
    readonly problem?: string;
  }[];
  readonly subjectDigest: string;
  readonly previous?: Id;
  /** What becomes of this failed attempt is asked. */
  readonly attemptId?: Id;
  readonly diffToPrevious?: readonly { readonly path: string; readonly before: Json; readonly after: Json }[];
  readonly editable: readonly string[];
  readonly candidates: readonly string[];
  /** Who may not decide, and why: four eyes. */
  readonly excluded: readonly { readonly who: string; readonly because: string }[];
  readonly quorum: { readonly of: number; readonly notSameAs: readonly string[]; readonly votes: readonly JsonObject[] };
  readonly deadline: Instant;
  readonly onDeadline: string;
  readonly escalation: {
    readonly chain: readonly { readonly to: string; readonly at: Instant }[];
    readonly level: number;
    readonly to: string | null;
    readonly overdue: boolean;
  };
  readonly evidence: readonly Json[];
  readonly assumptions: readonly string[];
  readonly openedAt: Instant;
  readonly claimedBy: string | null;
  readonly assignee: string | null;
  readonly comments: readonly { readonly by: string; readonly at: Instant; readonly text: string }[];
  readonly decision?: {
    readonly verdict: string;
    readonly option: string;
    readonly by: readonly string[];
    readonly reason: string;
    readonly at: Instant;
    readonly revision: number;
    readonly edits?: readonly Json[];
    readonly guidance?: string;
  };
  readonly closed?: { readonly because: string; readonly says: string; readonly notApplied: boolean };
}

/** Body of `subjects.command(ns, 'human-review', '<verb>-review')`. */
export interface ReviewCommandMessage {
  readonly reviewId: Id;
  /** Who asks, as the gateway authenticated him. */
  readonly by: Principal;
  readonly data: JsonObject;
}

/**
 * What human-review answers. `applied`, of a decision: `yes` the run has taken it, `no` it came too late and is recorded as not applied,
 * `pending` the run has not answered yet, `open` others must agree first.
 */
export type ReviewAnswer =
  | {
      readonly kind: 'done' | 'unchanged';
      readonly review: ReviewView;
      readonly applied?: 'yes' | 'no' | 'pending' | 'open';
      readonly says?: string;
    }
  | { readonly kind: 'rejected'; readonly rejection: RejectionBody };

// Lines may be broken; other controls are refused (B-35).
const FORBIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const text = (max: number) =>
  z
    .string()
    .min(1, { abort: true })
    .max(max, { abort: true })
    .refine((said) => said.trim() !== '' && !FORBIDDEN.test(said) && said.isWellFormed(), {
      error: 'must be text without controls',
      params: { rule: 'invalid_text' },
    });
const reason = text(REASON_MAX);
const person = z
  .string()
  .regex(/^(user|group):[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/, { error: 'must be a person or a group: user:ana, group:cfo' });
const digest = z.string().regex(/^(sha256:)?[0-9a-f]{64}$/, { error: 'must be the 64 hex characters of a digest' });
const edit = z.union([
  z.strictObject({ op: z.enum(['add', 'replace', 'test']), path: z.string().max(512), value: z.json() }),
  z.strictObject({ op: z.literal('remove'), path: z.string().max(512) }),
]);
/** As `PATCH_OPS_MAX` of the definition language. */
const EDITS_MAX = 100;
/** Characters of an option's id: `reduce:` and a name. */
const OPTION_MAX = 80;
const decision = {
  reviewId: z.string().optional(),
  subjectDigest: digest,
  revision: z.number().int().min(0),
  option: z.string().max(OPTION_MAX).optional(),
  edits: z.array(edit).max(EDITS_MAX).optional(),
  guidance: text(GUIDANCE_MAX).optional(),
  reason,
};
const flag = z.boolean().optional();

/** Bodies of `POST reviews/{id}:<verb>`. */
export const reviewBodies = {
  claim: z.strictObject({ force: flag }),
  release: z.strictObject({ force: flag }),
  reassign: z.strictObject({ to: person, reason: reason.optional() }),
  comment: z.strictObject({ text: text(COMMENT_MAX) }),
  vote: z.strictObject({ ...decision, verdict: z.enum(['approve', 'reject', 'edit', 'revise', 'abstain']) }),
  /** An option has its verdict: one of the two is enough where no other option has the same. */
  decide: z
    .strictObject({ ...decision, verdict: z.enum(['approve', 'reject', 'edit', 'revise']).optional() })
    .refine(({ verdict, option }) => verdict !== undefined || option !== undefined, {
      path: ['verdict'],
      error: 'is needed, or an option',
      params: { rule: 'required' },
    }),
  escalate: z.strictObject({ to: person.optional(), reason }),
} as const satisfies Readonly<Record<ReviewVerb, z.ZodType>>;

export type ReviewBody<V extends ReviewVerb> = z.infer<(typeof reviewBodies)[V]>;
