import { idOf, instantOf, runStream, sealAppend, type Id, type StoredEvent } from '@cairn/kernel';
import type { CheckpointKind, OnDeadline, ReviewRequested, RunEvent } from '@cairn/domain-run';

const HASH = `sha256:${'a'.repeat(64)}`;
/** The first event's time; every further append is a second later. */
export const BEGIN = Date.UTC(2026, 10, 23, 9);

export const attemptId = (step: string, n: number): Id => idOf('attempt', 'entropy', step, n);
export const waitId = (run: Id, step: string): Id => idOf('wait', run, step);

/** Events of runs as they are written down, short to write. */
export const told = {
  started: (workflow = 'w', key?: string): RunEvent => ({
    type: 'RunStarted',
    version: 1,
    data: {
      ns: 'default',
      workflow,
      ...(key === undefined ? {} : { key }),
      goal: 'to be done',
      input: {},
      attributes: { vendor: 'V-1' },
      definition: { name: workflow, version: '1.0.0', hash: HASH, revision: 0 },
      policies: [],
      cause: { receiptId: idOf('receipt', 'default', '/erp', 'e1'), source: '/erp', id: 'e1', type: 'erp.order' },
      limits: { ageMs: 1, occurrences: 1, branches: 1 },
    },
  }),
  stepStarted: (step: string, attempt = 1): RunEvent => ({
    type: 'StepStarted',
    version: 1,
    data: { step, attempt, attemptId: attemptId(step, attempt), queue: 'q', input: {}, params: {} },
  }),
  succeeded: (step: string, attempt = 1): RunEvent => ({
    type: 'StepSucceeded',
    version: 1,
    data: { step, attemptId: attemptId(step, attempt), output: { done: step } },
  }),
  failed: (step: string, attempt = 1): RunEvent => ({
    type: 'StepFailed',
    version: 1,
    data: { step, attemptId: attemptId(step, attempt), failure: { by: 'handler', message: 'no', sideEffect: 'none' } },
  }),
  skipped: (step: string): RunEvent => ({ type: 'StepSkipped', version: 1, data: { step, because: 'optional' } }),
  decided: (step: string, attempt: number, decision: 'retry' | 'block' | 'escalate' | 'give_up', bucket = 'timeout'): RunEvent => ({
    type: 'RetryDecided',
    version: 1,
    data: {
      step,
      attemptId: attemptId(step, attempt),
      bucket,
      decision,
      justification: { rule: 'r', newEvidence: [], expectedChange: null },
      policy: { name: 'default', version: 1, hash: HASH, revision: 0 },
    },
  }),
  waitOpened: (run: Id, step: string, kinds: readonly ('event' | 'signal' | 'timer')[] = ['event']): RunEvent => ({
    type: 'WaitOpened',
    version: 1,
    data: {
      waitId: waitId(run, step),
      step,
      mode: 'any',
      k: 1,
      triggers: kinds.map((kind) =>
        kind === 'event'
          ? { kind, type: 'dms.document.received', key: 'V-1' }
          : kind === 'signal'
            ? { kind, name: 'go' }
            : { kind, at: instantOf(BEGIN) },
      ),
      deadline: null,
      noDeadline: { because: 'a spec', by: 'user:ana' },
      onDeadline: null,
      staleAt: null,
      lookBack: 'run',
      keepOpen: false,
      assumptions: [],
      restores: `${step}.wait`,
      cel: '0.6',
      contract: { intent: null, branch: 'main', clauses: [] },
    },
  }),
  waitTriggered: (run: Id, step: string): RunEvent => ({
    type: 'WaitTriggered',
    version: 1,
    data: { waitId: waitId(run, step), step, trigger: 0, eventId: idOf('receipt', 'x', step), kept: false, at: instantOf(BEGIN), data: {} },
  }),
  waitSatisfied: (run: Id, step: string): RunEvent => ({
    type: 'WaitSatisfied',
    version: 1,
    data: { waitId: waitId(run, step), step, triggers: [0] },
  }),
  waitExpired: (run: Id, step: string, then: OnDeadline = { value: null }): RunEvent => ({
    type: 'WaitExpired',
    version: 1,
    data: { waitId: waitId(run, step), step, then },
  }),
  reviewRequested: (run: Id, step: string, why: ReviewRequested['data']['why'] = 'planned', n = 1): RunEvent => ({
    type: 'ReviewRequested',
    version: 1,
    data: {
      reviewId: idOf('review', run, 'main', step, n),
      step,
      n,
      ...(n === 1 ? {} : { previous: idOf('review', run, 'main', step, n - 1) }),
      why,
      queue: 'desk',
      risk: 'high',
      question: 'Go on?',
      options: [],
      subjects: [],
      subjectDigest: '0'.repeat(64),
      editable: [],
      candidates: [],
      quorum: { of: 1, notSameAs: [] },
      deadline: instantOf(BEGIN + 3_600_000),
      onDeadline: 'escalate',
      escalate: [],
      receiptTtl: 1,
      evidence: [],
      assumptions: [],
      restores: `${step}.review`,
    },
  }),
  reviewEscalated: (run: Id, step: string): RunEvent => ({
    type: 'ReviewEscalated',
    version: 1,
    data: { reviewId: idOf('review', run, 'main', step, 1), step, level: 1, to: null, because: 'deadline' },
  }),
  verdictApplied: (run: Id, step: string, then: string): RunEvent => ({
    type: 'VerdictApplied',
    version: 1,
    data: {
      reviewId: idOf('review', run, 'main', step, 1),
      step,
      verdict: then === 'block' ? 'expired' : 'approve',
      then,
      by: [],
      reason: 'so',
      subjectDigest: '0'.repeat(64),
      decided: 1,
    },
  }),
  notApplied: (run: Id, step: string, says: string): RunEvent => ({
    type: 'ReviewWithdrawn',
    version: 1,
    data: { reviewId: idOf('review', run, 'main', step, 1), step, because: 'subject_changed', says },
  }),
  reviewWithdrawn: (run: Id, step: string): RunEvent => ({
    type: 'ReviewWithdrawn',
    version: 1,
    data: { reviewId: idOf('review', run, 'main', step, 1), step, because: 'run_ended' },
  }),
  waitWithdrawn: (run: Id, step: string): RunEvent => ({
    type: 'WaitWithdrawn',
    version: 1,
    data: { waitId: waitId(run, step), step, because: 'run_ended' },
  }),
  checkpoint: (
    name: string,
    kind: CheckpointKind = 'stage',
    stateDigest = '0'.repeat(64),
    artifacts: readonly string[] = [],
  ): RunEvent => ({
    type: 'CheckpointReached',
    version: 1,
    data: {
      name,
      kind,
      claim: { says: `${name} is reached`, artifacts, usage: { usd: 0, tokensIn: 0, tokensOut: 0 } },
      digestVersion: 1,
      stateDigest,
    },
  }),
  effectIntended: (step: string, attempt = 1, key = step): RunEvent => ({
    type: 'EffectIntended',
    version: 1,
    data: { key, suffix: 0, step, attemptId: attemptId(step, attempt), fingerprint: 'f'.repeat(64), guarantee: 'none' },
  }),
  effectConfirmed: (step: string, attempt = 1, key = step): RunEvent => ({
    type: 'EffectConfirmed',
    version: 1,
    data: { key, suffix: 0, step, attemptId: attemptId(step, attempt), by: 'reply' },
  }),
  effectLeft: (type: 'EffectAbsent' | 'EffectUnknown', step: string, attempt = 1, key = step): RunEvent => ({
    type,
    version: 1,
    data: { key, suffix: 0, step, attemptId: attemptId(step, attempt), because: 'a spec' },
  }),
  paused: (): RunEvent => ({ type: 'RunPaused', version: 1, data: { by: 'operator' } }),
  unpaused: (): RunEvent => ({ type: 'RunUnpaused', version: 1, data: { by: 'operator' } }),
  cancelled: (): RunEvent => ({ type: 'RunCancelled', version: 1, data: {} }),
  gaveUp: (): RunEvent => ({ type: 'RunGaveUp', version: 1, data: { rule: 'a spec', numbers: {} } }),
  completed: (output: string): RunEvent => ({ type: 'RunCompleted', version: 1, data: { outcome: 'succeeded', output } }),
  runFailed: (): RunEvent => ({ type: 'RunFailed', version: 1, data: { bucket: 'definition_error', message: 'cannot be' } }),
} as const;

/** Seals each event as an append of its own behind those before, a second apart. */
export function history(run: Id, events: readonly RunEvent[], from = 0, prevHash = ''): StoredEvent[] {
  return historyOf(
    run,
    events.map((event, i) => ({ atS: from + i, events: [event] })),
    from,
    prevHash,
  );
}

/** Seals appends of several events each, `atS` seconds after `BEGIN`. */
export function historyOf(
  run: Id,
  appends: readonly { readonly atS: number; readonly events: readonly RunEvent[] }[],
  from = 0,
  prevHash = '',
): StoredEvent[] {
  const stored: StoredEvent[] = [];
  for (const { atS, events } of appends) {
    const first = from + stored.length;
    const context = {
      stream: runStream(run, 'main'),
      expected: first === 0 ? ('no_stream' as const) : first - 1,
      prevHash: stored.at(-1)?.metadata.hash ?? prevHash,
      ns: 'default',
      runId: run,
      branch: 'main',
      at: instantOf(BEGIN + atS * 1_000),
      actor: 'service:execution',
      causationId: run,
    };
    stored.push(...sealAppend(context, events));
  }
  return stored;
}
