import {
  canon,
  idOf,
  policyStream,
  prefixedSha256,
  receiptStream,
  sha256Hex,
  workflowStream,
  type JsonObject,
  type StoredEvent,
} from '@cairn/kernel';
import type { RunHistory } from '../history.js';
import { sealRun, sealStream, type Draft, type DraftEvent } from './editing.js';

const ns = 'acme';
const at = (second: number): string => `2026-11-23T09:00:${String(second).padStart(2, '0')}.000Z`;

const definition = { cairn: 1, name: 'line', version: '1.0.0', steps: [] };
const policy = { attempts: 5 };
const hashOf = (document: JsonObject): string => prefixedSha256(sha256Hex(canon(document)));
const pinnedPolicy = { name: 'default', version: 1, hash: hashOf(policy), revision: 0 };

export const runId = idOf('run', ns, 'line', 'K-1');
const startedBy = receipt('s-1', 'order.placed', 'started', 0);
const wokenBy = receipt('w-1', 'order.paid', 'woke', 20);
const alsoWokenBy = receipt('w-2', 'order.shipped', 'woke', 22);

/**
 * A whole, good history: a step, a wait for two events and one for a timer, a step that lapses, is retried and succeeds, a reply
 * that came too late, the end.
 */
export function goodHistory(): RunHistory {
  return {
    runId,
    branches: new Map([['main', sealRun(runId, ns, goodDrafts())]]),
    inbox: [...startedBy.stored, ...wokenBy.stored, ...alsoWokenBy.stored],
    definitions: sealStream(workflowStream(ns, 'line'), ns, [
      { type: 'DefinitionApplied', at: at(0), data: { ns, name: 'line', version: '1.0.0', hash: hashOf(definition), definition } },
    ]),
    policies: sealStream(policyStream(ns, 'default'), ns, [
      { type: 'PolicyApplied', at: at(0), data: { ns, name: 'default', version: 1, hash: pinnedPolicy.hash, policy } },
    ]),
    readAt: Date.parse('2026-11-23T12:00:00.000Z'),
  };
}

function goodDrafts(): Draft[] {
  const [a1, b1, b2] = ['a1', 'b1', 'b2'].map((name) => idOf('attempt', 'entropy', name, 1)) as [string, string, string];
  const [events, timer] = ['events', 'timer'].map((step) => idOf('wait', runId, step)) as [string, string];
  const started = (step: string, attempt: number, attemptId: string): DraftEvent =>
    draft('StepStarted', { step, attempt, attemptId, queue: 'q', input: {}, params: {} });
  const wait = (waitId: string, step: string, data: object): DraftEvent =>
    draft('WaitOpened', { waitId, step, ...waitDefaults(step), ...data });
  const got = (trigger: number, by: typeof wokenBy): DraftEvent =>
    draft('WaitTriggered', {
      waitId: events,
      step: 'events',
      trigger,
      eventId: by.id,
      source: '/shop',
      id: by.externalId,
      type: by.type,
      kept: false,
      at: by.at,
      data: {},
    });

  const lapsed = started('b', 1, b1);
  const failed = draft('StepFailed', { step: 'b', attemptId: b1, failure: { by: 'lease', message: 'lease ran out', sideEffect: 'none' } });
  const decided = draft('RetryDecided', {
    step: 'b',
    attemptId: b1,
    bucket: 'handler_lost',
    decision: 'retry',
    notBefore: at(33),
    justification: { rule: 'another_handler', newEvidence: [], expectedChange: 'another handler' },
    policy: pinnedPolicy,
  });
  const timerOpened = wait(timer, 'timer', { triggers: [{ kind: 'timer', at: at(30) }] });
  return [
    append(0, startedBy.id, [
      draft('RunStarted', { ...runStarted, cause: { receiptId: startedBy.id, source: '/shop', id: 's-1', type: 'order.placed' } }),
      started('a', 1, a1),
    ]),
    append(10, `${a1}:end`, [
      draft('StepSucceeded', { step: 'a', attemptId: a1, output: { ok: true } }),
      checkpoint('events'),
      wait(events, 'events', {
        mode: 'all',
        k: 2,
        triggers: [
          { kind: 'event', type: 'order.paid', key: 'K-1' },
          { kind: 'event', type: 'order.shipped', key: 'K-1' },
        ],
        deadline: at(50),
        onDeadline: { value: null },
        noDeadline: undefined,
      }),
      checkpoint('timer'),
      timerOpened,
    ]),
    append(20, wokenBy.id, [got(0, wokenBy)]),
    append(22, alsoWokenBy.id, [got(1, alsoWokenBy), draft('WaitSatisfied', { waitId: events, step: 'events', triggers: [0, 1] }), lapsed]),
    append(30, timerOpened, [
      draft('WaitTriggered', { waitId: timer, step: 'timer', trigger: 0, eventId: idOf('timer', timer, 0), kept: false, at: at(30) }),
      draft('WaitSatisfied', { waitId: timer, step: 'timer', triggers: [0] }),
    ]),
    append(32, lapsed, [failed]),
    append(32, failed, [decided]),
    append(33, decided, [started('b', 2, b2)]),
    append(34, `${b1}:end`, [
      draft('LateResultRecorded', {
        step: 'b',
        attemptId: b1,
        replyId: `${b1}:end`,
        reply: { kind: 'succeeded', output: {} },
        because: 'attempt_closed',
      }),
    ]),
    append(40, `${b2}:end`, [
      draft('StepSucceeded', { step: 'b', attemptId: b2, output: {} }),
      draft('RunCompleted', { outcome: 'succeeded', output: null }),
    ]),
  ];
}

const draft = (type: string, data: Record<string, unknown>): DraftEvent => ({ type, version: 1, data });
const append = (second: number, cause: Draft['cause'], events: DraftEvent[]): Draft => ({
  at: at(second),
  actor: 'service:execution',
  cause,
  events,
});

const checkpoint = (step: string): DraftEvent =>
  draft('CheckpointReached', {
    name: `${step}.wait`,
    kind: 'wait',
    step,
    digestVersion: 1,
    claim: { says: `${step} waits`, artifacts: [], usage: { usd: 0, tokensIn: 0, tokensOut: 0 } },
  });

const runStarted = {
  ns,
  workflow: 'line',
  key: 'K-1',
  goal: null,
  input: {},
  attributes: {},
  definition: { name: 'line', version: '1.0.0', hash: hashOf(definition), revision: 0 },
  policies: [pinnedPolicy],
  limits: { ageMs: 31_536_000_000, occurrences: 2_000, branches: 50 },
};

const waitDefaults = (step: string): Record<string, unknown> => ({
  mode: 'any',
  k: 1,
  deadline: null,
  noDeadline: { because: 'the timer always comes', by: 'definition' },
  onDeadline: null,
  staleAt: null,
  lookBack: 'run',
  keepOpen: false,
  assumptions: [],
  restores: `${step}.wait`,
  cel: '0.6',
  contract: { intent: null, branch: 'main', clauses: [] },
});

function receipt(
  externalId: string,
  type: string,
  outcome: string,
  second: number,
): { id: string; externalId: string; type: string; at: string; stored: StoredEvent[] } {
  const id = idOf('receipt', ns, '/shop', externalId);
  const stored = sealStream(receiptStream(id), ns, [
    {
      type: 'EventReceived',
      at: at(second),
      data: { receiptId: id, source: '/shop', id: externalId, type, key: 'K-1', extensions: {}, data: {}, bodyDigest: '', via: 'bus' },
    },
    { type: 'ReceiptSettled', at: at(second), data: { receiptId: id, outcome, runs: [{ run: runId }], nearMisses: [] } },
  ]);
  return { id, externalId, type, at: at(second), stored };
}
