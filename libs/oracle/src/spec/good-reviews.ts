import { digestOfSubjects, subjectDigestOf } from '@cairn/domain-run';
import { canon, idOf, prefixedSha256, reviewStream, sha256Hex, type JsonObject, type StoredEvent } from '@cairn/kernel';
import type { RunHistory } from '../history.js';
import type { DraftEvent } from './editing.js';
import { sealStream } from './editing.js';
import { append, at, attemptOf, checkpoint, draft, historyOf, ns, receipt, runStarted, started } from './pieces.js';

const definitionHash = prefixedSha256(sha256Hex(canon({ cairn: 1, name: 'line', version: '1.0.0', steps: [] })));
const key = 'pay/K';
const fingerprint = 'f'.repeat(64);
const subject = { step: 'pay', input: {}, params: {}, effect: { key, fingerprint } };

const requested = (reviewId: string, n: number): DraftEvent => {
  const digest = subjectDigestOf(definitionHash, subject);
  return draft('ReviewRequested', {
    reviewId,
    step: 'ask',
    n,
    why: 'planned',
    queue: 'desk',
    risk: 'high',
    question: 'Pay?',
    options: [
      { id: 'approve', label: 'Approve', verdict: 'approve', then: 'continue', preview: '' },
      { id: 'reject', label: 'Reject', verdict: 'reject', then: 'step:tell', preview: '' },
    ],
    subjects: [{ ...subject, digest }],
    subjectDigest: digestOfSubjects([digest]),
    editable: [],
    candidates: [],
    quorum: { of: 2, notSameAs: [] },
    deadline: at(7_200),
    onDeadline: 'stop',
    escalate: [],
    receiptTtl: 3_600_000,
    evidence: [],
    assumptions: [],
    restores: 'ask.review',
  });
};

const streamOf = (reviewId: string, events: readonly { type: string; at: string; data: JsonObject }[]): StoredEvent[] =>
  sealStream(reviewStream(reviewId), ns, events);

const PEOPLE = ['user:ana', 'user:ben'];

/** Two people approve an effect, and it is made. */
export function reviewedHistory(): RunHistory {
  const runId = idOf('run', ns, 'line', 'K-5');
  const start = receipt(runId, 's-5', 'order.placed', 'started', 0);
  const reviewId = idOf('review', runId, 'main', 'ask', 1);
  const digest = digestOfSubjects([subjectDigestOf(definitionHash, subject)]);
  const pay1 = attemptOf('pay');
  const effect = { key, suffix: 0, step: 'pay', attemptId: pay1 };
  const review = streamOf(reviewId, [
    { type: 'ReviewOpened', at: at(1), data: { reviewId, run: runId, excluded: [{ who: 'user:eve', because: 'run.starter' }] } },
    {
      type: 'ReviewDecided',
      at: at(5),
      data: { reviewId, verdict: 'approve', option: 'approve', subjectDigest: digest, by: PEOPLE, reason: 'fine' },
    },
  ]);
  const applied = draft('VerdictApplied', {
    reviewId,
    step: 'ask',
    verdict: 'approve',
    then: 'continue',
    by: [...PEOPLE],
    reason: 'fine',
    subjectDigest: digest,
    decided: 1,
  });
  const drafts = [
    append(0, start.id, [runStarted('K-5', start), checkpoint('ask', 'review'), requested(reviewId, 1)]),
    append(5, review[1]!.eventId, [
      applied,
      checkpoint('pay', 'pre_effect', 'pay.before'),
      started('pay', 1, pay1),
      draft('EffectIntended', { ...effect, fingerprint, guarantee: 'idempotent' }),
    ]),
    append(6, `${pay1}:end`, [
      draft('StepSucceeded', { step: 'pay', attemptId: pay1, output: {} }),
      draft('EffectConfirmed', { ...effect, by: 'reply' }),
      checkpoint('pay', 'post_effect', 'pay.after'),
      draft('RunCompleted', { outcome: 'succeeded', output: null }),
    ]),
  ];
  return { ...historyOf(runId, drafts, [start]), reviews: new Map([[reviewId, review]]) };
}

/** A run that is cancelled while people are asked, after the review was passed up. */
export function withdrawnHistory(): RunHistory {
  const runId = idOf('run', ns, 'line', 'K-6');
  const [start, cancel] = [
    receipt(runId, 's-6', 'order.placed', 'started', 0),
    receipt(runId, 'c-6', 'cairn.run.cancel.v1', 'attached', 20),
  ];
  const reviewId = idOf('review', runId, 'main', 'ask', 1);
  const passedUp = { reviewId, step: 'ask', level: 1, to: 'group:cfo', because: 'chain' };
  const review = streamOf(reviewId, [
    { type: 'ReviewOpened', at: at(1), data: { reviewId, run: runId, excluded: [] } },
    { type: 'ReviewEscalated', at: at(9), data: passedUp },
    { type: 'ReviewClosed', at: at(21), data: { reviewId, because: 'withdrawn', says: 'the run has ended' } },
  ]);
  const drafts = [
    append(0, start.id, [runStarted('K-6', start), checkpoint('ask', 'review'), requested(reviewId, 1)]),
    append(9, review[1]!.eventId, [draft('ReviewEscalated', passedUp)]),
    append(20, cancel.id, [
      draft('ReviewWithdrawn', { reviewId, step: 'ask', because: 'run_ended' }),
      draft('RunCancelled', { reason: 'wrong order' }),
    ]),
  ];
  return { ...historyOf(runId, drafts, [start, cancel]), reviews: new Map([[reviewId, review]]) };
}
