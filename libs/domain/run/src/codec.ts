import type { StoredEvent } from '@cairn/kernel';
import { z } from 'zod';
import type { RecordedRunEvent } from './events.js';

/** Schemas of everything that is stored in `run-…` streams, by `Type@version`. Storage format: `events.lock.json` guards it. */

const id = z.string().regex(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/);
const instant = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
const json = z.json();
const jsonObject = z.record(z.string(), json);
const occurrence = z.string().min(1);
const artifactRef = z.object({ artifact: z.string(), bytes: z.number(), mediaType: z.string() });
const pinned = z.object({ name: z.string(), version: z.union([z.string(), z.number()]), hash: z.string(), revision: z.number() });
const usage = z.object({
  usd: z.number().optional(),
  tokensIn: z.number().optional(),
  tokensOut: z.number().optional(),
  model: z.string().optional(),
});
const output = { output: json.optional(), outputRef: artifactRef.optional() };
const failure = z.object({
  by: z.enum(['handler', 'lease', 'timeout', 'decider']),
  bucket: z.string().optional(),
  code: z.string().optional(),
  message: z.string(),
  retryAfter: instant.optional(),
  sideEffect: z.enum(['none', 'applied', 'unknown']),
  evidence: z.string().optional(),
  details: jsonObject.optional(),
});
const patch = z.array(
  z.union([
    z.object({ op: z.enum(['add', 'replace', 'test']), path: z.string(), value: json }),
    z.object({ op: z.literal('remove'), path: z.string() }),
  ]),
);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const ofEffect = { key: z.string(), suffix: z.number(), step: occurrence, attemptId: id };
const by = z.enum(['operator', 'system']);
const verdict = z.enum(['approve', 'edit', 'revise', 'reject']);
const trigger = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('event'),
    type: z.string(),
    key: z.string().optional(),
    where: z.string().optional(),
    from: z.array(z.string()).optional(),
    mayResume: z.array(z.string()).optional(),
  }),
  z.object({ kind: z.literal('signal'), name: z.string(), mayResume: z.array(z.string()).optional() }),
  z.object({ kind: z.literal('callback'), name: z.string() }),
  z.object({ kind: z.literal('timer'), at: instant }),
]);
const point = z.object({ branch: z.string(), revision: z.number() });
const patchOp = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['add', 'replace', 'test']), path: z.string(), value: json }),
  z.object({ op: z.literal('remove'), path: z.string() }),
]);
const branchSpec = z.object({
  parent: point,
  checkpoint: z.string().nullable(),
  cause: z.enum(['retry_modified', 'fallback', 'reduced_scope', 'override', 'correction', 'what_if']),
  reason: z.string(),
  evidence: z.array(z.string()),
  changes: z.array(patchOp),
  carried: z.object({
    attempts: z.array(id),
    waits: z.array(id),
    failures: z.array(id),
    reviews: z.array(id).optional(),
    verdicts: z.array(id).optional(),
    events: z.array(id),
  }),
  effectsChoices: z.record(z.string(), z.enum(['reuse', 'compensate', 'repeat', 'ask'])),
  effectsReasons: z.record(z.string(), z.string()).optional(),
  lesson: z.enum(['told', 'untold']),
  definition: pinned.optional(),
  policies: z.array(pinned).optional(),
});
const onDeadline = z.union([
  z.object({ step: z.string() }),
  z.object({ fail: z.string() }),
  z.object({ giveUp: z.literal(true) }),
  z.object({ value: json }),
]);

export const eventSchemas = {
  'RunStarted@1': z.object({
    ns: z.string(),
    workflow: z.string(),
    key: z.string().optional(),
    goal: z.string().nullable(),
    input: json,
    attributes: jsonObject,
    definition: pinned,
    policies: z.array(pinned),
    cause: z.object({ receiptId: id, source: z.string(), id: z.string(), type: z.string(), hops: z.number().optional() }),
    limits: z.object({ ageMs: z.number(), occurrences: z.number(), branches: z.number() }),
    resultTo: z.string().optional(),
  }),
  'RunCompleted@1': z.object({ outcome: z.enum(['succeeded', 'reduced']), ...output }),
  'RunGaveUp@1': z.object({ step: occurrence.optional(), attemptId: id.optional(), rule: z.string(), numbers: jsonObject }),
  'RunFailed@1': z.object({ step: occurrence.optional(), bucket: z.string(), message: z.string() }),
  'RunPaused@1': z.object({ reason: z.string().optional(), by }),
  'RunUnpaused@1': z.object({ reason: z.string().optional(), by }),
  'RunCancelled@1': z.object({ reason: z.string().optional() }),
  'EventEmitted@1': z.object({ eventId: id, step: occurrence, type: z.string(), key: z.string().optional(), data: json, hops: z.number() }),
  'StepStarted@1': z.object({
    step: occurrence,
    attempt: z.number(),
    attemptId: id,
    queue: z.string(),
    input: json,
    params: json,
    purpose: z.string().optional(),
    childRun: id.optional(),
    effect: z.object({ key: z.string(), suffix: z.number() }).optional(),
  }),
  'StepSucceeded@1': z.object({
    step: occurrence,
    attemptId: id,
    ...output,
    evidence: z.string().optional(),
    uncertainty: z.number().optional(),
    usage: usage.optional(),
  }),
  'StepFailed@1': z.object({ step: occurrence, attemptId: id, failure, usage: usage.optional() }),
  'AttemptTaken@1': z.object({ step: occurrence, attemptId: id, handler: z.string(), nonce: z.string() }),
  'EffectIntended@1': z.object({ ...ofEffect, fingerprint: sha256, guarantee: z.enum(['none', 'reconcile', 'idempotent']) }),
  'EffectConfirmed@1': z.object({
    ...ofEffect,
    by: z.enum(['reply', 'reconcile', 'person']),
    receipt: json.optional(),
    because: z.string().optional(),
  }),
  'EffectAbsent@1': z.object({ ...ofEffect, because: z.string(), asks: occurrence.optional() }),
  'EffectUnknown@1': z.object({ ...ofEffect, because: z.string() }),
  'EffectCompensated@1': z.object({ ...ofEffect, receipt: json.optional() }),
  'StepSkipped@1': z.object({ step: occurrence, because: z.enum(['when', 'optional', 'scope']) }),
  'LateResultRecorded@1': z.object({
    step: occurrence,
    attemptId: id,
    replyId: z.string(),
    reply: z.object({ kind: z.string(), ...output, failure: failure.optional() }),
    usage: usage.optional(),
    because: z.enum(['attempt_closed', 'run_ended', 'not_head']),
  }),
  'RetryDecided@1': z.object({
    step: occurrence,
    attemptId: id,
    bucket: z.string(),
    decision: z.enum(['retry', 'retry_modified', 'fallback', 'reduce_scope', 'escalate', 'block', 'give_up']),
    justification: z.object({
      rule: z.string(),
      newEvidence: z.array(z.object({ digest: z.string().optional(), code: z.string().optional(), retryAfter: instant.optional() })),
      expectedChange: z.string().nullable(),
    }),
    policy: pinned,
    notBefore: instant.optional(),
    queue: z.string().optional(),
    change: jsonObject.optional(),
  }),
  'CheckpointReached@1': z.object({
    name: z.string(),
    kind: z.enum(['plan', 'pre_effect', 'post_effect', 'wait', 'review', 'recovery', 'stage']),
    step: occurrence.optional(),
    claim: z.object({
      says: z.string(),
      inputDigest: z.string().optional(),
      resultDigest: z.string().optional(),
      artifacts: z.array(z.string()),
      usage: z.object({ usd: z.number(), tokensIn: z.number(), tokensOut: z.number() }),
    }),
    digestVersion: z.literal(1),
    stateDigest: sha256,
  }),
  'WaitOpened@1': z.object({
    waitId: id,
    step: occurrence,
    mode: z.enum(['any', 'all', 'atLeast']),
    k: z.number(),
    triggers: z.array(trigger).min(1),
    deadline: instant.nullable(),
    noDeadline: z.object({ because: z.string(), by: z.string() }).optional(),
    onDeadline: onDeadline.nullable(),
    staleAt: instant.nullable(),
    lookBack: z.union([z.enum(['run', 'none']), z.number()]),
    keepOpen: z.boolean(),
    guard: z.string().optional(),
    assumptions: z.array(jsonObject),
    restores: z.string(),
    cel: z.string(),
    contract: z.object({
      intent: z.string().nullable(),
      branch: z.string(),
      clauses: z.array(z.object({ id: z.string(), says: z.string() })),
    }),
  }),
  'WaitTriggered@1': z.object({
    waitId: id,
    step: occurrence,
    trigger: z.number(),
    eventId: id,
    source: z.string().optional(),
    id: z.string().optional(),
    type: z.string().optional(),
    kept: z.boolean(),
    at: instant,
    data: json.optional(),
    dataRef: artifactRef.optional(),
  }),
  'WaitSatisfied@1': z.object({ waitId: id, step: occurrence, triggers: z.array(z.number()) }),
  'WaitExpired@1': z.object({ waitId: id, step: occurrence, then: onDeadline }),
  'WaitWithdrawn@1': z.object({
    waitId: id,
    step: occurrence,
    because: z.enum(['run_ended', 'branch', 'rescheduled']),
    reason: z.string().optional(),
  }),
  'ReviewRequested@1': z.object({
    reviewId: id,
    step: occurrence,
    n: z.number(),
    why: z.enum(['planned', 'risk', 'after_retries', 'after_wait', 'budget', 'give_up', 'recovery', 'plan']),
    queue: z.string(),
    risk: z.enum(['low', 'medium', 'high', 'critical']),
    question: z.string(),
    options: z.array(z.object({ id: z.string(), label: z.string(), verdict, then: z.string(), preview: z.string() })),
    subjects: z.array(
      z.object({
        step: occurrence,
        input: json,
        params: json,
        effect: z.object({ key: z.string(), fingerprint: sha256 }).nullable(),
        digest: sha256,
        problem: z.string().optional(),
      }),
    ),
    subjectDigest: sha256,
    previous: id.optional(),
    attemptId: id.optional(),
    editable: z.array(z.string()),
    candidates: z.array(z.string()),
    quorum: z.object({ of: z.number(), notSameAs: z.array(z.string()) }),
    deadline: instant,
    onDeadline: z.string(),
    escalate: z.array(z.object({ to: z.string(), at: instant })),
    receiptTtl: z.number(),
    evidence: z.array(json),
    assumptions: z.array(z.string()),
    restores: z.string(),
  }),
  'ReviewEscalated@1': z.object({
    reviewId: id,
    step: occurrence,
    level: z.number(),
    to: z.string().nullable(),
    because: z.enum(['chain', 'deadline', 'person']),
    reason: z.string().optional(),
  }),
  'VerdictApplied@1': z.object({
    reviewId: id,
    step: occurrence,
    verdict: z.enum(['approve', 'edit', 'revise', 'reject', 'expired']),
    then: z.string(),
    by: z.array(z.string()),
    reason: z.string(),
    subjectDigest: sha256,
    edits: patch.optional(),
    input: json.optional(),
    attemptId: id.optional(),
    guidance: z.string().optional(),
    decided: z.number(),
  }),
  'VerdictCarried@1': z.object({
    reviewId: id,
    step: occurrence,
    verdict: z.enum(['approve', 'edit']),
    then: z.literal('continue'),
    by: z.array(z.string()),
    reason: z.string(),
    subjectDigest: sha256,
    subjects: z.array(z.object({ step: occurrence, asked: sha256, digest: sha256 })),
    edits: patch.optional(),
    input: json.optional(),
    decidedAt: instant,
    receiptTtl: z.number(),
    decided: z.number(),
  }),
  'ReviewWithdrawn@1': z.object({
    reviewId: id,
    step: occurrence,
    because: z.enum(['run_ended', 'branch', 'subject_changed']),
    says: z.string().optional(),
  }),
  'BranchSuperseded@1': z.object({ successor: z.string(), spec: branchSpec }),
  'BranchOpened@1': branchSpec.extend({ predecessor: point, actor: z.string(), shadow: z.boolean() }),
  'ShadowOpened@1': z.object({ branch: z.string(), spec: branchSpec }),
  'StepStubbed@1': z.object({
    step: occurrence,
    from: z.enum(['confirmed', 'stub', 'head', 'unsent']),
    ...output,
    skipped: z.literal(true).optional(),
    says: z.string(),
  }),
  'ShadowEnded@1': z.object({
    outcome: z.enum(['succeeded', 'reduced', 'stopped']),
    ...output,
    stops: z.array(z.object({ step: occurrence.optional(), says: z.string() })),
  }),
  'BranchAbandoned@1': z.object({ reason: z.string() }),
  'WaitStale@1': z.object({ waitId: id, step: occurrence, because: z.string() }),
} as const satisfies Record<string, z.ZodType>;

export type EventKey = keyof typeof eventSchemas;

/** Newest version of each type that this release understands; a newer one parks its run (I-4). */
const versions = new Map<string, number>();
for (const key of Object.keys(eventSchemas)) {
  const [type = '', version = '0'] = key.split('@');
  versions.set(type, Math.max(versions.get(type) ?? 0, Number(version)));
}

/** A stored event that this release cannot read: of a newer version (park), or broken (name it, touch nothing). */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';
  constructor(
    readonly code: 'event_newer' | 'event_broken',
    readonly event: StoredEvent,
    detail: string,
  ) {
    super(`${event.stream}@${event.revision}: ${detail}`);
  }
}

/** Checks events read from a `run-…` stream. Unknown fields are kept. Throws `UnreadableEvent`. */
export function decodeRunEvents(stored: readonly StoredEvent[]): RecordedRunEvent[] {
  return stored.map((event) => {
    const newest = versions.get(event.type);
    if (newest === undefined || event.version > newest) {
      throw new UnreadableEvent('event_newer', event, `${event.type} version ${event.version} is newer than this release`);
    }
    const schema = eventSchemas[`${event.type}@${event.version}` as EventKey];
    const checked = schema.safeParse(event.data);
    if (!checked.success)
      throw new UnreadableEvent('event_broken', event, `${event.type}: ${checked.error.issues[0]?.message ?? 'broken'}`);
    return event as unknown as RecordedRunEvent;
  });
}
