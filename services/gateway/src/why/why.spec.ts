import { describe, expect, it } from '@jest/globals';
import { foldRun, initialState, type RecordedRunEvent, type RunEvent } from '@cairn/domain-run';
import { idOf, instantOf } from '@cairn/kernel';
import { attemptId, BEGIN, history, told, waitId } from '../spec/histories.js';
import type { RunStored, WhyFacts } from './facts.js';
import { whyNot } from './not.js';
import { why } from './why.js';

const RUN = idOf('run', 'default', 'w', 'V-1');
const T = RUN.slice(-8);
const MINUTE_MS = 60_000;
const in_ = (ms: number): string => instantOf(BEGIN + ms);

/** Events a second apart; `why` is asked three minutes after the first. */
const NOW = BEGIN + 3 * MINUTE_MS;

interface Told {
  readonly events: readonly RunEvent[];
  readonly facts?: Partial<WhyFacts>;
}

const ask = (told: Told): ReturnType<typeof why> => why(factsOf(told));

function factsOf({ events, facts = {} }: Told): WhyFacts {
  const stored = history(RUN, events);
  return {
    ns: 'default',
    state: foldRun(initialState(RUN), stored as unknown as readonly RecordedRunEvent[]),
    events: stored as unknown as readonly RunStored[],
    now: NOW,
    queue: () => ({ handlers: 0, waiting: 1 }),
    holder: () => undefined,
    nearMisses: [],
    ...facts,
  };
}

const failedWith = (step: string, message: string, sideEffect: 'none' | 'unknown' = 'none'): RunEvent => ({
  type: 'StepFailed',
  version: 1,
  data: { step, attemptId: attemptId(step, 1), failure: { by: 'handler', code: '429', message, sideEffect } },
});
const decided = (step: string, more: object): RunEvent =>
  ({
    type: 'RetryDecided',
    version: 1,
    data: {
      step,
      attemptId: attemptId(step, 1),
      bucket: 'rate_limited',
      decision: 'retry',
      justification: { rule: 'default@1#rate_limited', newEvidence: [], expectedChange: 'provider_reset' },
      policy: { name: 'default', version: 1, hash: 'sha256:0', revision: 0 },
      ...more,
    },
  }) as RunEvent;
const intended = (step: string, key: string, guarantee: 'none' | 'idempotent' = 'none'): RunEvent => ({
  type: 'EffectIntended',
  version: 1,
  data: { step, attemptId: attemptId(step, 1), key, suffix: 0, fingerprint: 'f', guarantee },
});
const late = (step: string, reply: object): RunEvent =>
  ({
    type: 'LateResultRecorded',
    version: 1,
    data: { step, attemptId: attemptId(step, 1), replyId: 'r', reply, because: 'run_ended' },
  }) as RunEvent;
const cancelled: RunEvent = { type: 'RunCancelled', version: 1, data: { reason: 'wrong vendor' } };
/** An effect that is in doubt, judged like this. */
const doubtful = (guarantee: 'none' | 'idempotent', verdict: object): readonly RunEvent[] => [
  told.started(),
  told.stepStarted('pay'),
  intended('pay', 'V-1', guarantee),
  failedWith('pay', 'slow down', 'unknown'),
  unknown('pay', 'V-1'),
  decided('pay', { decision: 'escalate', ...verdict }),
];
const ruled = (rule: string): object => ({ justification: { rule, newEvidence: [], expectedChange: null } });
const unknown = (step: string, key: string): RunEvent => ({
  type: 'EffectUnknown',
  version: 1,
  data: { step, attemptId: attemptId(step, 1), key, suffix: 0, because: 'the handler was lost' },
});
const taken = (step: string, handler: string): RunEvent => ({
  type: 'AttemptTaken',
  version: 1,
  data: { step, attemptId: attemptId(step, 1), handler, nonce: 'n' },
});
const paused = (reason?: string, by: 'operator' | 'system' = 'operator'): RunEvent => ({
  type: 'RunPaused',
  version: 1,
  data: { by, ...(reason === undefined ? {} : { reason }) },
});
const opened = (step: string, more: object): RunEvent => {
  const wait = told.waitOpened(RUN, step);
  return { ...wait, data: { ...wait.data, ...more } } as RunEvent;
};

interface Case extends Told {
  readonly what: string;
  readonly kind: string;
  readonly says: string;
  readonly next: string;
}

const ASKED = idOf('review', RUN, 'main', 'approve', 1).slice(-8);

const stalls: readonly Case[] = [
  {
    what: 'people are asked',
    events: [told.started(), told.reviewRequested(RUN, 'approve')],
    kind: 'in_review',
    says: 'Step approve has waited 2m 59s for people of queue desk to decide "Go on?" (planned), until 2026-11-23T10:00:00Z, in 57m 00s, then escalate.',
    next: `npx cairn review show ${ASKED}`,
  },
  {
    what: 'people are asked again, since what one decided does not count',
    events: [
      told.started(),
      told.reviewRequested(RUN, 'approve'),
      told.notApplied(RUN, 'approve', 'four eyes: user:ana has decided first; the run asks again'),
      told.reviewRequested(RUN, 'approve', 'planned', 2),
    ],
    kind: 'in_review',
    says: 'Step approve has waited 2m 57s for people of queue desk to decide "Go on?" (planned), until 2026-11-23T10:00:00Z, in 57m 00s, then escalate; four eyes: user:ana has decided first; the run asks again.',
    next: `npx cairn review show ${idOf('review', RUN, 'main', 'approve', 2).slice(-8)}`,
  },
  {
    what: 'nobody decided, and it was passed up to the end of its chain',
    events: [told.started(), told.reviewRequested(RUN, 'approve'), told.reviewEscalated(RUN, 'approve')],
    kind: 'escalated',
    says: 'Step approve has waited 2m 59s for people of queue desk to decide "Go on?" (planned), until 2026-11-23T10:00:00Z, in 57m 00s, then escalate; it was passed up.',
    next: `npx cairn review show ${ASKED}`,
  },
  {
    what: 'nobody decided in time, and that blocks',
    events: [told.started(), told.reviewRequested(RUN, 'approve'), told.verdictApplied(RUN, 'approve', 'block')],
    kind: 'awaiting_decision',
    says: 'Step approve is blocked because nobody decided its review before the deadline, which passed 2m 58s ago: the run can be cancelled.',
    next: `npx cairn run cancel ${T}`,
  },
  {
    what: 'nobody serves the queue',
    events: [told.started(), told.stepStarted('screen')],
    kind: 'no_handler',
    says: 'No handler serves queue q, where step screen has waited for 2m 59s; start a handler that serves queue q (README: By hand), and the run goes on.',
    next: `npx cairn run watch ${T}`,
  },
  {
    what: 'no replica of execution answers',
    events: [told.started(), told.stepStarted('screen')],
    facts: { queue: () => undefined, holder: () => undefined },
    kind: 'no_execution',
    says: 'Execution does not answer, so nobody knows who has step screen, which is 2m 59s old; the run goes on when a replica is there again.',
    next: 'npx cairn doctor',
  },
  {
    what: 'all handlers are at work',
    events: [told.started(), told.stepStarted('screen')],
    facts: { queue: () => ({ handlers: 2, waiting: 14 }) },
    kind: 'queued',
    says: 'In queue q step screen has waited for 2m 59s for one of the 2 handlers to be free, with 14 tasks in all.',
    next: `npx cairn run watch ${T}`,
  },
  {
    what: 'a handler has it',
    events: [told.started(), told.stepStarted('screen')],
    facts: { holder: () => 'screening/7' },
    kind: 'with_handler',
    says: 'Handler screening/7 has step screen, which is 2m 59s old.',
    next: `npx cairn run watch ${T}`,
  },
  {
    what: 'somebody without a session has it',
    events: [told.started(), told.stepStarted('screen')],
    facts: { holder: () => 'poll' },
    kind: 'with_handler',
    says: 'Whoever polled the queue has step screen, which is 2m 59s old.',
    next: `npx cairn run watch ${T}`,
  },
  {
    what: 'a handler has claimed it',
    events: [told.started(), told.stepStarted('pay'), taken('pay', 'pay/1')],
    facts: { holder: () => 'pay/1' },
    kind: 'with_handler',
    says: 'Handler pay/1 has had step pay for 2m 58s.',
    next: `npx cairn run watch ${T}`,
  },
  {
    what: 'who claimed it is not there',
    events: [told.started(), told.stepStarted('pay'), taken('pay', 'pay/1')],
    kind: 'handed_out',
    says: 'Handler pay/1 took step pay 2m 58s ago and is not connected; when its lease is over, it counts as lost.',
    next: `npx cairn run watch ${T}`,
  },
  {
    what: 'the next try has a time',
    events: [told.started(), told.stepStarted('ask'), failedWith('ask', 'slow down'), decided('ask', { notBefore: in_(3.5 * MINUTE_MS) })],
    kind: 'retry_due',
    says:
      'Attempt 2 of step ask is due at 2026-11-23T09:03:30Z, in 30s, because "slow down" was judged rate_limited and rule ' +
      'default@1#rate_limited expects provider_reset.',
    next: `npx cairn retry explain ${T} ask`,
  },
  {
    what: 'the next try is overdue',
    events: [told.started(), told.stepStarted('ask'), failedWith('ask', 'slow down'), decided('ask', { notBefore: in_(MINUTE_MS) })],
    kind: 'retry_due',
    says: 'Attempt 2 of step ask was due 2m 00s ago and has not started: is scheduling running?',
    next: `npx cairn retry explain ${T} ask`,
  },
  {
    what: 'nobody has judged the failure',
    events: [told.started(), told.stepStarted('ask'), failedWith('ask', 'slow down')],
    kind: 'undecided',
    says: 'retry-policy has not judged the failure of ask, attempt 1 ("slow down"), of 2m 58s ago: is it running?',
    next: `npx cairn retry explain ${T} ask`,
  },
  {
    what: 'it is paused',
    events: [told.started(), told.stepStarted('ask'), paused('month end')],
    kind: 'paused',
    says: 'The run was paused by service:execution 2m 58s ago: "month end".',
    next: `npx cairn run unpause ${T}`,
  },
  {
    what: 'it is paused by a bug',
    events: [told.started(), paused(undefined, 'system')],
    kind: 'paused',
    says: 'The run was paused by Cairn itself 2m 59s ago.',
    next: `npx cairn run unpause ${T}`,
  },
  {
    what: 'a person is to decide',
    events: [
      told.started(),
      told.stepStarted('ask'),
      failedWith('ask', 'no\nsuch key'),
      decided('ask', {
        decision: 'escalate',
        bucket: 'auth',
        queue: 'triage',
        justification: { rule: 'default@1#auth', newEvidence: [], expectedChange: null },
      }),
    ],
    kind: 'awaiting_decision',
    says:
      'Step ask is blocked for 2m 57s because attempt 1 failed with "no such key", judged auth; rule default@1#auth does not try again; ' +
      'queue triage was asked; no review asks about it: the run can be cancelled.',
    next: `npx cairn run cancel ${T}`,
  },
  {
    what: 'nobody knows whether the effect happened',
    events: [
      told.started(),
      told.stepStarted('pay'),
      intended('pay', "V-1 'net'"),
      failedWith('pay', 'lost', 'unknown'),
      unknown('pay', "V-1 'net'"),
      decided('pay', { decision: 'block', bucket: 'effect_unknown' }),
    ],
    kind: 'effect_unknown',
    says:
      'Step pay is blocked for 2m 55s because nobody knows whether effect "V-1 \'net\'" happened ("lost"), so it is not called again: ' +
      'look for that key at the target of queue q, and say what you found with effect reconcile --found or --not-found and a --reason; or the run can be cancelled.',
    next: `npx cairn effect show ${T} 'V-1 '\\''net'\\'''`,
  },
  {
    what: 'the tries of an idempotent effect are used up, and it is in doubt as well',
    events: doubtful('idempotent', { queue: 'recovery', ...ruled('mine@3#rate_limited; attempts 3 of 3') }),
    kind: 'effect_unknown',
    says:
      'Step pay is blocked for 2m 55s because attempt 1 failed with "slow down", judged rate_limited; all 3 of 3 attempts that rule ' +
      'mine@3#rate_limited allows are used; queue recovery was asked; no review asks about it: the run can be cancelled; ' +
      'whether effect "V-1" happened is unknown, too: look for that key at the target of queue q before anything else.',
    next: `npx cairn effect show ${T} V-1`,
  },
  {
    what: 'nobody recognised what an idempotent effect failed with',
    events: doubtful('idempotent', { bucket: 'unclassified', queue: 'triage', ...ruled('default@1#unclassified') }),
    kind: 'effect_unknown',
    says:
      'Step pay is blocked for 2m 55s because attempt 1 failed with "slow down", judged unclassified; what nobody recognises is never tried ' +
      'again (rule default@1#unclassified); queue triage was asked; no review asks about it: the run can be cancelled; ' +
      'whether effect "V-1" happened is unknown, too: look for that key at the target of queue q before anything else.',
    next: `npx cairn effect show ${T} V-1`,
  },
  {
    what: 'the handler of an effect in doubt answered too late',
    events: [
      ...doubtful('none', { decision: 'block', bucket: 'effect_unknown', ...ruled('default@1#effect_unknown; side effect unknown') }),
      late('pay', { kind: 'failed', failure: { by: 'handler', message: 'no money', sideEffect: 'none' } }),
    ],
    kind: 'effect_unknown',
    says:
      'Step pay is blocked for 2m 55s because nobody knows whether effect "V-1" happened ("slow down"), so it is not called again; its handler ' +
      'said afterwards that it failed ("no money") and that nothing happened: look for that key at the target of queue q, and say what you found with ' +
      'effect reconcile --found or --not-found and a --reason; or the run can be cancelled.',
    next: `npx cairn effect show ${T} V-1`,
  },
  {
    what: 'it waits for an event or a signal',
    events: [
      told.started(),
      opened('document', {
        triggers: [
          { kind: 'event', type: 'dms.document.received', key: 'V-1', where: "event.data.kind == 'W8'" },
          { kind: 'signal', name: 'skip' },
        ],
        deadline: in_(63 * MINUTE_MS),
        noDeadline: undefined,
        onDeadline: { step: 'chase' },
      }),
    ],
    kind: 'waiting',
    says:
      'Step document has waited 2m 59s for event dms.document.received with key "V-1" where "event.data.kind == \'W8\'", or signal skip ' +
      'until 2026-11-23T10:03:00Z, in 1h 00m, then step chase runs.',
    next: `npx cairn run signal ${T} skip`,
  },
  {
    what: 'it waits for an event that only who knows its data can send, or for a time',
    events: [
      told.started(),
      opened('document', {
        triggers: [
          { kind: 'timer', at: in_(4 * MINUTE_MS) },
          { kind: 'event', type: 'dms.document.received', where: 'event.data.n == 1' },
        ],
      }),
    ],
    kind: 'waiting',
    says:
      'Step document has waited 2m 59s for its time at 2026-11-23T09:04:00Z, or event dms.document.received where "event.data.n == 1", ' +
      'without a deadline ("a spec").',
    next: `npx cairn wait show ${waitId(RUN, 'document')}`,
  },
  {
    what: 'it waits for a time, or for an event that one command sends',
    events: [
      told.started(),
      opened('document', {
        triggers: [
          { kind: 'timer', at: in_(4 * MINUTE_MS) },
          { kind: 'event', type: 'dms.document.received', key: 'V-1' },
        ],
      }),
    ],
    kind: 'waiting',
    says:
      'Step document has waited 2m 59s for its time at 2026-11-23T09:04:00Z, or event dms.document.received with key "V-1", ' +
      'without a deadline ("a spec").',
    next: 'npx cairn event send --type dms.document.received --key V-1',
  },
  {
    what: 'it waits for an event that one command sends',
    events: [told.started(), opened('document', { triggers: [{ kind: 'event', type: 'dms.document.received', key: 'V 1' }] })],
    kind: 'waiting',
    says: 'Step document has waited 2m 59s for event dms.document.received with key "V 1", without a deadline ("a spec").',
    next: `npx cairn event send --type dms.document.received --key 'V 1'`,
  },
  {
    what: 'an event nearly came',
    events: [told.started(), opened('document', { triggers: [{ kind: 'signal', name: 'go' }] })],
    facts: {
      nearMisses: [
        { wait: 'document', type: 'dms.document.received', source: '/dms', at: in_(MINUTE_MS), clause: 'key', expected: 'V-1', got: 'V-2' },
      ],
    },
    kind: 'waiting',
    says:
      'Step document has waited 2m 59s for signal go, without a deadline ("a spec"); dms.document.received from "/dms" 2m 00s ago nearly ' +
      'woke it: key expected "V-1", got "V-2".',
    next: `npx cairn run signal ${T} go`,
  },
  {
    what: 'it waits for a time',
    events: [told.started(), opened('cool', { triggers: [{ kind: 'timer', at: in_(4 * MINUTE_MS) }] })],
    kind: 'waiting',
    says: 'Step cool has waited 2m 59s for its time at 2026-11-23T09:04:00Z, without a deadline ("a spec").',
    next: `npx cairn run watch ${T}`,
  },
  {
    what: 'nothing is open',
    events: [told.started()],
    kind: 'deciding',
    says: 'Nothing is open: execution is about to go on, 3m 00s after the last event.',
    next: `npx cairn run watch ${T}`,
  },
  {
    what: 'it has succeeded',
    events: [told.started(), told.completed('done')],
    kind: 'complete',
    says: 'The run ended 2m 59s ago: succeeded.',
    next: `npx cairn run history ${T}`,
  },
  {
    what: 'it was cancelled in the middle of an effect',
    events: [told.started(), told.stepStarted('pay'), intended('pay', 'V-1'), unknown('pay', 'V-1'), cancelled],
    kind: 'complete',
    says: 'The run was cancelled by service:execution 2m 56s ago: "wrong vendor". Whether "V-1" happened is unknown.',
    next: `npx cairn effect list ${T}`,
  },
  {
    what: 'it was cancelled in the middle of an effect whose handler answered afterwards',
    events: [
      told.started(),
      told.stepStarted('pay'),
      intended('pay', 'V-1'),
      unknown('pay', 'V-1'),
      cancelled,
      late('pay', { kind: 'succeeded', output: 1 }),
      late('pay', { kind: 'failed', failure: { by: 'handler', message: 'again', sideEffect: 'unknown' } }),
    ],
    kind: 'complete',
    says:
      'The run was cancelled by service:execution 2m 56s ago: "wrong vendor". Whether "V-1" happened is unknown; its handler said ' +
      'afterwards that it succeeded.',
    next: `npx cairn effect list ${T}`,
  },
  {
    what: 'it gave up because its tries are used up',
    events: [
      told.started(),
      { type: 'RunGaveUp', version: 1, data: { step: 'ask', rule: 'mine@3#timeout; attempts 2 of 2', numbers: {} } },
    ],
    kind: 'complete',
    says: 'The run gave up 2m 59s ago at step ask: all 2 of 2 attempts that rule mine@3#timeout allows are used.',
    next: `npx cairn retry explain ${T}`,
  },
  {
    what: 'it gave up',
    events: [told.started(), { type: 'RunGaveUp', version: 1, data: { step: 'ask', rule: 'default@1#exhausted', numbers: {} } }],
    kind: 'complete',
    says: 'The run gave up 2m 59s ago at step ask by rule default@1#exhausted.',
    next: `npx cairn retry explain ${T}`,
  },
  {
    what: 'it failed',
    events: [told.started(), told.runFailed()],
    kind: 'complete',
    says: 'The run failed 2m 59s ago: definition_error, "cannot be".',
    next: `npx cairn retry explain ${T}`,
  },
];

describe('why (U-11)', () => {
  it.each(stalls)('says it in one sentence when $what, and which command is next', ({ kind, says, next, ...told_ }) => {
    const view = ask(told_);
    expect({ kind: view.because[0]?.kind, says: view.says, next: view.next }).toEqual({ kind, says, next });
    expect(view.because).toHaveLength(1);
  });

  it.each(stalls)('says what has not happened when $what, about the same step (why --not)', (told_) => {
    const facts = factsOf(told_);
    const [first] = why(facts).because;
    const not = whyNot(facts, why(facts).because, []);
    expect(not.map(({ step }) => step)).toContain(first?.kind === 'complete' ? undefined : first?.step);
    expect(new Set(not.map(({ says }) => says)).size).toBe(not.length);
  });

  it('names everything that is open, most pressing first', () => {
    const view = ask({
      events: [
        told.started(),
        opened('document', {}),
        told.stepStarted('screen'),
        told.stepStarted('ask'),
        failedWith('ask', 'no'),
        decided('ask', { decision: 'block' }),
      ],
    });
    expect(view.because.map(({ kind, step }) => [kind, step])).toEqual([
      ['awaiting_decision', 'ask'],
      ['no_handler', 'screen'],
      ['waiting', 'document'],
    ]);
    expect(view).toMatchObject({ run: RUN, state: 'blocked', sub: 'awaiting_decision' });
  });

  it('does not miss handlers of a paused run, to which nothing is handed out', () => {
    const events = [told.started(), told.stepStarted('a'), told.stepStarted('b'), paused()];
    const view = ask({ events, facts: { holder: (id) => (id === attemptId('b', 1) ? 'b/1' : undefined) } });
    expect(view.because.map(({ kind }) => kind)).toEqual(['paused', 'with_handler']);
  });

  it('gives commands of the namespace', () => {
    expect(ask({ events: [told.started(), paused()], facts: { ns: 'acme' } }).next).toBe(`npx cairn run unpause ${T} --ns acme`);
  });
});
