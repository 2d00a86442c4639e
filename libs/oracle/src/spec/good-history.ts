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
  type Receipt,
} from './pieces.js';

export const runId = idOf('run', ns, 'line', 'K-1');
const startedBy = receipt(runId, 's-1', 'order.placed', 'started', 0);
const wokenBy = receipt(runId, 'w-1', 'order.paid', 'woke', 20);
const alsoWokenBy = receipt(runId, 'w-2', 'order.shipped', 'woke', 22);

/**
 * A whole, good history: a step, a wait for two events and one for a timer, a step that lapses, is retried and succeeds, a reply
 * that came too late, the end.
 */
export const goodHistory = (): RunHistory => historyOf(runId, goodDrafts(), [startedBy, wokenBy, alsoWokenBy]);

function goodDrafts(): Draft[] {
  const [a1, b1, b2] = [attemptOf('a1'), attemptOf('b1'), attemptOf('b2')];
  const [events, timer] = ['events', 'timer'].map((step) => idOf('wait', runId, step)) as [string, string];
  const got = (trigger: number, by: Receipt): DraftEvent =>
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
  const retried = decided('b', b1, 'handler_lost', 'retry', { expects: 'another_handler', notBefore: at(33) });
  const timerOpened = opened(timer, 'timer', { triggers: [{ kind: 'timer', at: at(30) }] });
  return [
    append(0, startedBy.id, [runStarted('K-1', startedBy), started('a', 1, a1)]),
    append(10, `${a1}:end`, [
      draft('StepSucceeded', { step: 'a', attemptId: a1, output: { ok: true } }),
      checkpoint('events'),
      opened(events, 'events', {
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
    append(32, failed, [retried]),
    append(33, retried, [started('b', 2, b2)]),
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
