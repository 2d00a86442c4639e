import { idOf } from '@cairn/kernel';
import type { RunHistory } from '../history.js';
import type { Draft, DraftEvent } from './editing.js';
import {
  append,
  at,
  attemptOf,
  checkpoint,
  decided,
  draft,
  historyOf,
  ns,
  opened,
  receipt,
  runStarted,
  started,
  type Bounds,
} from './pieces.js';

const effect = (step: string, attemptId: string, more: object = {}): Record<string, unknown> => ({
  key: `${step}/K`,
  suffix: 0,
  step,
  attemptId,
  ...more,
});
const intended = (step: string, attemptId: string, guarantee: string): DraftEvent =>
  draft('EffectIntended', effect(step, attemptId, { fingerprint: `meaning of ${step}`, guarantee }));
const lost = (step: string, attemptId: string, sideEffect: string): DraftEvent =>
  draft('StepFailed', { step, attemptId, failure: { by: 'lease', code: 'handler_lost', message: 'three beats missed', sideEffect } });
const failed = (step: string, attemptId: string, failure: object): DraftEvent =>
  draft('StepFailed', { step, attemptId, failure: { by: 'handler', message: 'no', sideEffect: 'none', ...failure } });
const taken = (step: string, attemptId: string): Draft['events'] => [draft('AttemptTaken', { step, attemptId, handler: 'h', nonce: 'n' })];
const succeeded = (step: string, attemptId: string): DraftEvent[] => [
  draft('StepSucceeded', { step, attemptId, output: { booked: true } }),
  draft('EffectConfirmed', effect(step, attemptId, { by: 'reply' })),
  checkpoint(step, 'post_effect', `${step}.after`),
];

/**
 * Good histories with effects. `paying`: an idempotent effect that is lost, unknown, and made again under its key; one that must be
 * claimed, lapses unclaimed and is made by the next; a task that is rate limited, then escalated and passed over; a pause.
 */
export function payingHistory(bounds: Bounds = {}): RunHistory {
  const runId = idOf('run', ns, 'line', 'K-2');
  const [start, pause, unpause] = [
    receipt(runId, 's-2', 'order.placed', 'started', 0),
    receipt(runId, 'p-1', 'cairn.run.pause.v1', 'attached', 7),
    receipt(runId, 'p-2', 'cairn.run.unpause.v1', 'attached', 9),
  ];
  const [pay1, pay2, mail1, mail2, ask1, ask2] = ['p1', 'p2', 'm1', 'm2', 'k1', 'k2'].map(attemptOf) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const pay = started('pay', 1, pay1);
  const mail = started('mail', 1, mail1);
  const [payLost, mailLost] = [lost('pay', pay1, 'unknown'), lost('mail', mail1, 'none')];
  const limited = failed('ask', ask1, { bucket: 'rate_limited', retryAfter: at(6) });
  const billed = failed('ask', ask2, { bucket: 'billing' });
  const askAgain = decided('ask', ask1, 'rate_limited', 'retry', { expects: 'provider_reset', notBefore: at(6), bounds });
  const payAgain = decided('pay', pay1, 'handler_lost', 'retry', { expects: 'another_handler', notBefore: at(8), bounds });
  const mailAgain = decided('mail', mail1, 'handler_lost', 'retry', { expects: 'another_handler', notBefore: at(14), bounds });
  const drafts = [
    append(0, start.id, [
      runStarted('K-2', start, bounds),
      checkpoint('pay', 'pre_effect', 'pay.before'),
      pay,
      intended('pay', pay1, 'idempotent'),
      started('ask', 1, ask1),
    ]),
    append(2, `${ask1}:end`, [limited]),
    append(2, limited, [askAgain]),
    append(3, pay, [payLost, draft('EffectUnknown', effect('pay', pay1, { because: 'handler_lost' }))]),
    append(3, payLost, [payAgain]),
    append(6, askAgain, [started('ask', 2, ask2)]),
    append(7, pause.id, [draft('RunPaused', { by: 'operator' })]),
    append(9, unpause.id, [draft('RunUnpaused', { by: 'operator' }), started('pay', 2, pay2), intended('pay', pay2, 'idempotent')]),
    append(10, `${pay1}:end`, [
      draft('LateResultRecorded', {
        step: 'pay',
        attemptId: pay1,
        replyId: `${pay1}:end`,
        reply: { kind: 'succeeded', output: {} },
        because: 'attempt_closed',
      }),
    ]),
    append(11, `${pay2}:end`, [
      ...succeeded('pay', pay2),
      checkpoint('mail', 'pre_effect', 'mail.before'),
      mail,
      intended('mail', mail1, 'none'),
    ]),
    append(13, mail, [mailLost, draft('EffectAbsent', effect('mail', mail1, { because: 'the attempt was never granted' }))]),
    append(13, mailLost, [mailAgain]),
    append(14, mailAgain, [started('mail', 2, mail2), intended('mail', mail2, 'none')]),
    append(15, `${mail2}:claim`, taken('mail', mail2)),
    append(16, `${ask2}:end`, [billed]),
    append(16, billed, [
      decided('ask', ask2, 'billing', 'escalate', { queue: 'ops', bounds }),
      draft('StepSkipped', { step: 'ask', because: 'optional' }),
    ]),
    append(17, `${mail2}:end`, [...succeeded('mail', mail2), draft('RunCompleted', { outcome: 'succeeded', output: null })]),
  ];
  return historyOf(runId, drafts, [start, pause, unpause], bounds);
}

/** An idempotent effect whose handler was lost, then refused: the refusal says nothing of the first attempt, so a person must look. */
export function doubtedHistory(): RunHistory {
  const runId = idOf('run', ns, 'line', 'K-5');
  const start = receipt(runId, 's-5', 'order.placed', 'started', 0);
  const [pay1, pay2] = [attemptOf('first'), attemptOf('second')];
  const pay = started('pay', 1, pay1);
  const payLost = lost('pay', pay1, 'unknown');
  const refused = failed('pay', pay2, { bucket: 'billing' });
  const again = decided('pay', pay1, 'handler_lost', 'retry', { expects: 'another_handler', notBefore: at(8) });
  const drafts = [
    append(0, start.id, [
      runStarted('K-5', start),
      checkpoint('pay', 'pre_effect', 'pay.before'),
      pay,
      intended('pay', pay1, 'idempotent'),
    ]),
    append(3, pay, [payLost, draft('EffectUnknown', effect('pay', pay1, { because: 'handler_lost' }))]),
    append(3, payLost, [again]),
    append(8, again, [started('pay', 2, pay2), intended('pay', pay2, 'idempotent')]),
    append(9, `${pay2}:end`, [refused, draft('EffectUnknown', effect('pay', pay2, { because: 'an earlier attempt left it unknown' }))]),
    append(9, refused, [decided('pay', pay2, 'billing', 'escalate', { queue: 'ops' })]),
  ];
  return historyOf(runId, drafts, [start]);
}

/** Cancelled while somebody is about to pay and a paper is waited for. The payment's result comes all the same. */
export function cancelledHistory(): RunHistory {
  const runId = idOf('run', ns, 'line', 'K-3');
  const [start, cancel] = [
    receipt(runId, 's-3', 'order.placed', 'started', 0),
    receipt(runId, 'c-1', 'cairn.run.cancel.v1', 'attached', 20),
  ];
  const pay1 = attemptOf('pay');
  const waitId = idOf('wait', runId, 'papers');
  const drafts = [
    append(0, start.id, [
      runStarted('K-3', start),
      checkpoint('pay', 'pre_effect', 'pay.before'),
      started('pay', 1, pay1),
      intended('pay', pay1, 'none'),
      checkpoint('papers'),
      opened(waitId, 'papers', { triggers: [{ kind: 'signal', name: 'go' }] }),
    ]),
    append(1, `${pay1}:claim`, taken('pay', pay1)),
    append(20, cancel.id, [
      draft('WaitWithdrawn', { waitId, step: 'papers', because: 'run_ended' }),
      draft('EffectUnknown', effect('pay', pay1, { because: 'the run has ended' })),
      draft('RunCancelled', { reason: 'wrong order' }),
    ]),
    append(21, `${pay1}:end`, [
      draft('LateResultRecorded', {
        step: 'pay',
        attemptId: pay1,
        replyId: `${pay1}:end`,
        reply: { kind: 'succeeded', output: {} },
        because: 'run_ended',
      }),
    ]),
  ];
  return historyOf(runId, drafts, [start, cancel]);
}

/** A task that nobody can pay for. `escalate` leaves the run blocked, `give_up` ends it. */
export function billedHistory(decision: 'escalate' | 'give_up'): RunHistory {
  const runId = idOf('run', ns, 'line', 'K-4');
  const start = receipt(runId, 's-4', 'order.placed', 'started', 0);
  const ask1 = attemptOf('ask');
  const billed = failed('ask', ask1, { bucket: 'billing' });
  const rule = 'default@1#billing';
  const drafts = [
    append(0, start.id, [runStarted('K-4', start), started('ask', 1, ask1)]),
    append(1, `${ask1}:end`, [billed]),
    append(
      1,
      billed,
      decision === 'escalate'
        ? [decided('ask', ask1, 'billing', decision, { queue: 'ops' })]
        : [decided('ask', ask1, 'billing', decision), draft('RunGaveUp', { step: 'ask', attemptId: ask1, rule, numbers: { attempts: 1 } })],
    ),
  ];
  return historyOf(runId, drafts, [start]);
}
