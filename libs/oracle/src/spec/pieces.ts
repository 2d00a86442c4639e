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

export const ns = 'acme';
/** Seconds after nine. */
export const at = (second: number): string => new Date(Date.UTC(2026, 10, 23, 9) + second * 1_000).toISOString();

const hashOf = (document: JsonObject): string => prefixedSha256(sha256Hex(canon(document)));
const definition = { cairn: 1, name: 'line', version: '1.0.0', steps: [] };

/** What the policy of these histories allows: just what happens in them. */
export interface Bounds {
  readonly perStep?: number;
  readonly perRun?: number;
  readonly elapsed?: number;
  /** Attempts under `handler_lost`. */
  readonly lost?: number;
}

const policyWithin = ({ perStep = 3, perRun = 4, elapsed = 60_000, lost = 3 }: Bounds): JsonObject => ({
  cairn: 1,
  policy: 'default',
  buckets: {
    handler_lost: { retry: true, attempts: lost, expects: 'another_handler', backoff: { kind: 'exponential', first: 500, cap: 2_000 } },
    rate_limited: {
      retry: true,
      attempts: 4,
      expects: 'provider_reset',
      backoff: { from: 'retryAfter', else: { kind: 'fixed', first: 1_000 } },
    },
    billing: { retry: false, escalate: 'ops' },
  },
  limits: { perStep, perRun, elapsed },
});

export const pinOf = (bounds: Bounds = {}): JsonObject => ({
  name: 'default',
  version: 1,
  hash: hashOf(policyWithin(bounds)),
  revision: 0,
});

/** A run's history with the documents that it names. */
export function historyOf(runId: string, drafts: readonly Draft[], receipts: readonly Receipt[], bounds: Bounds = {}): RunHistory {
  const policy = policyWithin(bounds);
  return {
    runId,
    branches: new Map([['main', sealRun(runId, ns, drafts)]]),
    inbox: receipts.flatMap(({ stored }) => stored),
    definitions: sealStream(workflowStream(ns, 'line'), ns, [
      { type: 'DefinitionApplied', at: at(0), data: { ns, name: 'line', version: '1.0.0', hash: hashOf(definition), definition } },
    ]),
    policies: sealStream(policyStream(ns, 'default'), ns, [
      { type: 'PolicyApplied', at: at(0), data: { ns, name: 'default', version: 1, hash: hashOf(policy), policy } },
    ]),
    readAt: Date.parse('2026-11-23T12:00:00.000Z'),
  };
}

export const draft = (type: string, data: Record<string, unknown>): DraftEvent => ({ type, version: 1, data });
export const append = (second: number, cause: Draft['cause'], events: DraftEvent[]): Draft => ({
  at: at(second),
  actor: 'service:execution',
  cause,
  events,
});

export const checkpoint = (step: string, kind = 'wait', name = `${step}.${kind}`): DraftEvent =>
  draft('CheckpointReached', {
    name,
    kind,
    step,
    digestVersion: 1,
    claim: { says: `${step} is there`, artifacts: [], usage: { usd: 0, tokensIn: 0, tokensOut: 0 } },
  });

export const runStarted = (key: string, by: Receipt, bounds: Bounds = {}): DraftEvent =>
  draft('RunStarted', {
    ns,
    workflow: 'line',
    key,
    goal: null,
    input: {},
    attributes: {},
    definition: { name: 'line', version: '1.0.0', hash: hashOf(definition), revision: 0 },
    policies: [pinOf(bounds)],
    limits: { ageMs: 31_536_000_000, occurrences: 2_000, branches: 50 },
    cause: { receiptId: by.id, source: '/shop', id: by.externalId, type: by.type },
  });

export const started = (step: string, attempt: number, attemptId: string): DraftEvent =>
  draft('StepStarted', { step, attempt, attemptId, queue: 'q', input: {}, params: {} });
export const attemptOf = (name: string): string => idOf('attempt', 'entropy', name, 1);

export const opened = (waitId: string, step: string, data: object): DraftEvent =>
  draft('WaitOpened', {
    waitId,
    step,
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
    ...data,
  });

/** What retry-policy decided about a failure, at once. */
export const decided = (
  step: string,
  attemptId: string,
  bucket: string,
  decision: string,
  { expects = null, bounds = {}, ...more }: { expects?: string | null; bounds?: Bounds; notBefore?: string; queue?: string } = {},
): DraftEvent =>
  draft('RetryDecided', {
    step,
    attemptId,
    bucket,
    decision,
    justification: { rule: `default@1#${bucket}`, newEvidence: [{ code: bucket }], expectedChange: expects },
    policy: pinOf(bounds),
    ...more,
  });

export interface Receipt {
  readonly id: string;
  readonly externalId: string;
  readonly type: string;
  readonly at: string;
  readonly stored: readonly StoredEvent[];
}

export function receipt(runId: string, externalId: string, type: string, outcome: string, second: number): Receipt {
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
