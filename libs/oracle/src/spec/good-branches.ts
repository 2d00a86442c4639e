import { beginningOf, decodeRunEvents, derivedOpening, Lineage } from '@cairn/domain-run';
import { idOf, type StoredEvent } from '@cairn/kernel';
import type { RunHistory } from '../history.js';
import { resealedOpening, sealRun, there, type DraftEvent } from './editing.js';
import { append, at, attemptOf, decided, draft, historyOf, ns, opened, receipt, runStarted, started, checkpoint } from './pieces.js';

/** How a recovered history is broken: the rest follows from what is edited. */
export interface Edits {
  readonly spec?: (spec: Record<string, unknown>) => unknown;
  readonly opened?: (data: Record<string, unknown>) => unknown;
  readonly more?: readonly DraftEvent[];
}

/** `read` fails for good and goes on with its alternative on b2, while `beside` is under way and a paper is waited for. */
export function recoveredHistory(edits: Edits = {}): RunHistory {
  const runId = idOf('run', ns, 'line', 'K-9');
  const start = receipt(runId, 's-9', 'order.placed', 'started', 0);
  const [read1, read2, beside1] = [attemptOf('r1'), attemptOf('r2'), attemptOf('s1')];
  const waitId = idOf('wait', runId, 'paper');
  const failure = { by: 'handler', bucket: 'billing', message: 'no', sideEffect: 'none' };
  const failed = draft('StepFailed', { step: 'read', attemptId: read1, failure });
  const spec = {
    parent: { branch: 'main', revision: 6 },
    checkpoint: 'paper.wait',
    cause: 'fallback',
    reason: 'read failed at attempt 1',
    evidence: ['main@5'],
    changes: [{ op: 'replace', path: '/steps/read/queue', value: 'q-b' }],
    carried: { attempts: [beside1], waits: [waitId], failures: [read1], events: [] },
    effectsChoices: {},
    lesson: 'told',
  };
  edits.spec?.(spec);
  const timer = { triggers: [{ kind: 'timer', at: at(9) }] };
  const drafts = [
    append(0, start.id, [
      runStarted('K-9', start),
      started('read', 1, read1),
      started('beside', 1, beside1),
      checkpoint('paper'),
      opened(waitId, 'paper', timer),
    ]),
    append(2, `${read1}:end`, [failed]),
    append(2, failed, [
      decided('read', read1, 'billing', 'fallback'),
      draft('BranchSuperseded', { successor: 'b2', spec }),
      ...(edits.more ?? []),
    ]),
  ];
  const history = historyOf(runId, drafts, [start]);
  const main = there(history.branches.get('main'));
  const announced = there(main.find(({ type }) => type === 'BranchSuperseded'));
  const lineage = new Lineage(runId, new Map([['main', decodeRunEvents(main)]]));
  const predecessor = lineage.at('main', announced.revision);
  const state = beginningOf('b2', lineage.at('main', spec.parent.revision), predecessor);
  const parentHash = there(main[spec.parent.revision]).metadata.hash;
  const derived = derivedOpening({ predecessor, beginning: state, event: announced, parentHash });
  const opening = edits.opened === undefined ? derived : resealedOpening(derived, edits.opened);
  const goOn = [
    append(3, announced.eventId, [
      draft('StepStarted', { step: 'read', attempt: 2, attemptId: read2, queue: 'q-b', input: {}, params: {} }),
    ]),
    append(4, `${beside1}:end`, [draft('StepSucceeded', { step: 'beside', attemptId: beside1, output: 1 })]),
    append(5, `${read1}:late`, [
      draft('LateResultRecorded', {
        step: 'read',
        attemptId: read1,
        replyId: `${read1}:late`,
        reply: { kind: 'succeeded', output: 1 },
        because: 'attempt_closed',
      }),
    ]),
    append(6, `${read2}:end`, [draft('StepSucceeded', { step: 'read', attemptId: read2, output: 1 })]),
    append(9, eventOf(main, 'WaitOpened'), [
      draft('WaitTriggered', { waitId, step: 'paper', trigger: 0, eventId: idOf('timer', waitId, 0), kept: false, at: at(9), data: null }),
      draft('WaitSatisfied', { waitId, step: 'paper', triggers: [0] }),
      draft('RunCompleted', { outcome: 'succeeded', output: null }),
    ]),
  ];
  const b2 = sealRun(runId, ns, goOn, 'b2', { state, opening });
  return { ...history, branches: new Map([...history.branches, ['b2', b2]]) };
}

const eventOf = (stored: readonly StoredEvent[], type: string): string => there(stored.find((event) => event.type === type)).eventId;
