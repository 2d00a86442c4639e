import { describe, expect, it } from '@jest/globals';
import type { RunEvent } from '@cairn/domain-run';
import { idOf, instantOf, receiptStream, sealAppend, type Id, type StoredEvent } from '@cairn/kernel';
import { attemptId, BEGIN, history, historyOf, told } from '../spec/histories.js';
import { correctionFrom, recovered } from '../spec/branched-histories.js';
import { withDigests, type ToldAppend } from '../spec/with-digests.js';
import { lifecycleMetricsOf } from './recompute.js';

const RUN: Id = idOf('run', 'default', 'w', 'k');

/** The samples of one metric, by their labels without those that are the same everywhere here. */
function samples(events: readonly StoredEvent[], metric: string, holds?: (sha256: string) => boolean): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of lifecycleMetricsOf(events, holds)) {
    const [, labels] = new RegExp(`^${metric}\\{(.*)\\}$`).exec(name) ?? [];
    if (labels !== undefined)
      found[
        labels
          .split(',')
          .filter((label) => !/^(ns="default"|workflow="w")$/.test(label))
          .join(' ')
      ] = value;
  }
  return found;
}

const at = (atS: number, ...events: RunEvent[]): ToldAppend => ({ atS, events });
const told1 = (...appends: ToldAppend[]): StoredEvent[] => historyOf(RUN, withDigests(RUN, appends));
/** Opens a wait, with its checkpoint. */
const opens = (step: string, kinds?: readonly ('event' | 'signal' | 'timer')[]): RunEvent[] => [
  told.checkpoint(`${step}.wait`, 'wait'),
  told.waitOpened(RUN, step, kinds),
];
const woken = (step: string): RunEvent[] => [told.waitTriggered(RUN, step), told.waitSatisfied(RUN, step)];

describe('cairn_state_seconds and cairn_runs (C-STATES, C-M-STATETIME)', () => {
  it('tell how long a run was in each state when it leaves it; together they are its age', () => {
    const events = told1(
      at(0, told.started(), told.stepStarted('a')),
      at(5, told.succeeded('a'), ...opens('wait')),
      at(605, ...woken('wait'), told.stepStarted('b')),
      at(606, told.failed('b')),
      at(607, told.decided('b', 1, 'retry')),
      at(617, told.stepStarted('b', 2)),
      at(620, told.paused()),
      at(4_220, told.unpaused()),
      at(4_221, told.succeeded('b', 2), told.completed('ok')),
    );
    expect(samples(events, 'cairn_state_seconds_sum')).toEqual({
      'state="active"': 5 + 1,
      'state="waiting"': 600,
      'state="retrying"': 14 + 1,
      'state="blocked"': 3_600,
    });
    expect(samples(events, 'cairn_state_seconds_count')).toEqual({
      'state="active"': 3, // The third is left at once: the append passes through it on its way to the end.
      'state="waiting"': 1,
      'state="retrying"': 2,
      'state="blocked"': 1,
    });
    expect(samples(events, 'cairn_state_seconds_bucket')['le="900" state="waiting"']).toBe(1);
    expect(samples(events, 'cairn_state_seconds_bucket')['le="300" state="waiting"']).toBeUndefined();
    expect(samples(events, 'cairn_runs')).toEqual({ 'state="complete"': 1 });
    expect(samples(events, 'cairn_runs_ended_total')).toEqual({ 'outcome="succeeded"': 1 });
  });

  it('do not leave a state because its sub-state changes', () => {
    const events = told1(at(0, told.started(), ...opens('a')), at(10, ...opens('b', ['signal'])), at(30, ...woken('a')));
    expect(samples(events, 'cairn_state_seconds_count')).toEqual({ 'state="active"': 1 });
    expect(samples(events, 'cairn_runs')).toEqual({ 'state="waiting"': 1 });
  });

  it.each([
    ['gave_up', told.gaveUp()],
    ['failed', told.runFailed()],
    ['cancelled', told.cancelled()],
    ['succeeded', told.completed('ok')],
  ])('count a run that ends as %s once, whatever still comes', (outcome, end) => {
    const late: RunEvent = {
      type: 'LateResultRecorded',
      version: 1,
      data: {
        step: 'a',
        attemptId: attemptId('a', 1),
        replyId: 'r',
        reply: { kind: 'succeeded', output: 1 },
        because: 'run_ended',
      },
    };
    const events = told1(at(0, told.started(), told.stepStarted('a')), at(1, end), at(9, late));
    expect(samples(events, 'cairn_runs_ended_total')).toEqual({ [`outcome="${outcome}"`]: 1 });
  });
});

describe('cairn_retry_attempts_total, cairn_retry_resolved_total and cairn_failure_to_decision_seconds', () => {
  it('count three tries of which the last works as two retries and one that resolved (C-M-RETRIES, C-M-RESOLVE)', () => {
    const events = told1(
      at(0, told.started(), told.stepStarted('a')),
      at(1, told.failed('a')),
      at(2, told.decided('a', 1, 'retry', 'network')),
      at(3, told.stepStarted('a', 2)),
      at(4, told.failed('a', 2)),
      at(6, told.decided('a', 2, 'retry', 'rate_limited')),
      at(7, told.stepStarted('a', 3)),
      at(8, told.succeeded('a', 3), told.completed('ok')),
    );
    expect(samples(events, 'cairn_retry_attempts_total')).toEqual({
      'bucket="network" decision="retry"': 1,
      'bucket="rate_limited" decision="retry"': 1,
    });
    expect(samples(events, 'cairn_retry_resolved_total')).toEqual({ 'bucket="rate_limited"': 1 }); // Of the failure just before.
    expect(samples(events, 'cairn_failure_to_decision_seconds_sum')).toEqual({
      'bucket="network" decider="policy"': 1,
      'bucket="rate_limited" decider="policy"': 2,
    });
  });

  it('take a first success for no retry, and a team’s own bucket for other', () => {
    const events = told1(
      at(0, told.started(), told.stepStarted('a'), told.stepStarted('b')),
      at(1, told.succeeded('a')),
      at(2, told.failed('b')),
      at(3, told.decided('b', 1, 'retry', 'x-ours')),
      at(4, told.stepStarted('b', 2)),
      at(5, told.succeeded('b', 2)),
    );
    expect(samples(events, 'cairn_retry_resolved_total')).toEqual({ 'bucket="other"': 1 });
    expect(samples(events, 'cairn_retry_attempts_total')).toEqual({ 'bucket="other" decision="retry"': 1 });
  });

  it('time a block and a give-up, but not an escalation, which leaves the decision to a person (C-M-DECIDE)', () => {
    const events = told1(
      at(0, told.started(), told.stepStarted('a'), told.stepStarted('b'), told.stepStarted('c')),
      at(10, told.failed('a'), told.failed('b'), told.failed('c')),
      at(11, told.decided('a', 1, 'escalate', 'auth')),
      at(13, told.decided('b', 1, 'block', 'effect_unknown')),
      at(17, told.decided('c', 1, 'give_up', 'timeout'), told.skipped('c')),
    );
    expect(samples(events, 'cairn_failure_to_decision_seconds_sum')).toEqual({
      'bucket="effect_unknown" decider="policy"': 3,
      'bucket="timeout" decider="policy"': 7,
    });
    expect(samples(events, 'cairn_retry_attempts_total')).toEqual({
      'bucket="auth" decision="escalate"': 1,
      'bucket="effect_unknown" decision="block"': 1,
      'bucket="timeout" decision="give_up"': 1,
    });
  });
});

describe('cairn_resumes_total (C-M-RESUMES)', () => {
  const begin = at(0, told.started(), ...opens('wait'));
  const resumed = at(60, ...woken('wait'), told.stepStarted('b'));
  const expired = (then: Parameters<typeof told.waitExpired>[2], ...more: RunEvent[]): ToldAppend =>
    at(60, told.waitExpired(RUN, 'wait', then), ...more);
  const counted = (outcome: string, trigger = 'event', from = 'checkpoint'): Record<string, number> => ({
    [`from="${from}" outcome="${outcome}" trigger="${trigger}"`]: 1,
  });

  it.each<[string, ToldAppend[], Record<string, number>]>([
    ['the run completes', [resumed, at(61, told.succeeded('b'), told.completed('ok'))], counted('success')],
    ['it completes at once', [at(60, ...woken('wait'), told.completed('ok'))], counted('success')],
    ['a stage is reached', [resumed, at(61, told.succeeded('b'), told.checkpoint('stage'), told.stepStarted('c'))], counted('success')],
    ['it reaches the next wait', [at(60, ...woken('wait'), ...opens('next'))], counted('success')],
    ['a recovery checkpoint says nothing yet', [resumed, at(61, told.checkpoint('r', 'recovery'))], {}],
    ['nothing has come of it yet', [resumed, at(61, told.succeeded('b'), told.stepStarted('c'))], {}],
    ['a step fails first, whatever follows', [resumed, at(61, told.failed('b')), at(62, told.checkpoint('stage'))], counted('failed')],
    ['the run fails of itself first', [at(60, ...woken('wait'), told.runFailed())], counted('failed')],
    ['it gives up first', [resumed, at(61, told.gaveUp())], counted('failed')],
    ['it is cancelled first', [resumed, at(61, told.cancelled())], counted('cut')],
    ['it is paused first', [resumed, at(61, told.paused()), at(62, told.unpaused()), at(63, told.checkpoint('stage'))], counted('cut')],
    ['the deadline gives a value', [expired({ value: 1 }, told.completed('ok'))], counted('success', 'deadline')],
    [
      'the deadline skips an optional wait',
      [expired({ fail: 'timeout' }, told.skipped('wait'), told.completed('ok'))],
      counted('success', 'deadline'),
    ],
    ['the deadline is the end: nothing goes on', [expired({ fail: 'timeout' }, told.runFailed())], {}],
    ['the deadline gives up: nothing goes on', [expired({ giveUp: true }, told.gaveUp())], {}],
    [
      'it ended while paused, and goes on when the run does',
      [
        at(30, told.paused()),
        at(60, ...woken('wait')),
        at(70, told.unpaused(), told.stepStarted('b')),
        at(71, told.succeeded('b'), told.completed('ok')),
      ],
      counted('success'),
    ],
    ['it ended while paused, and the run is cancelled', [at(30, told.paused()), at(60, ...woken('wait')), at(70, told.cancelled())], {}],
  ])('when %s', (_, appends, expected) => {
    expect(samples(told1(begin, ...appends), 'cairn_resumes_total')).toEqual(expected);
  });

  it.each([
    [['signal'], [0], 'signal'],
    [['event', 'timer'], [1], 'timer'],
    [['timer', 'event', 'event'], [0, 2], 'event+timer'],
  ] as const)('names the kinds that satisfied it: %p of which %p is %s', (kinds, triggers, trigger) => {
    const satisfied = told.waitSatisfied(RUN, 'wait');
    if (satisfied.type !== 'WaitSatisfied') throw new TypeError('not a WaitSatisfied');
    const events = told1(
      at(0, told.started(), ...opens('wait', kinds)),
      at(60, { ...satisfied, data: { ...satisfied.data, triggers } }, told.completed('ok')),
    );
    expect(samples(events, 'cairn_resumes_total')).toEqual(counted('success', trigger));
  });

  it('is from full_fold where the checkpoint does not recompute, is not there, or names an artifact that does not hold (C-M-CKPT)', () => {
    const end = at(60, ...woken('wait'), told.completed('ok'));
    const broken = historyOf(RUN, [begin, end]); // Its digest is all zeros.
    const without = told1(at(0, told.started(), told.waitOpened(RUN, 'wait')), end);
    const named = told1(
      at(0, told.started(), told.checkpoint('wait.wait', 'wait', '', [`sha256:${'a'.repeat(64)}`]), told.waitOpened(RUN, 'wait')),
      end,
    );
    expect(samples(broken, 'cairn_resumes_total')).toEqual(counted('success', 'event', 'full_fold'));
    expect(samples(without, 'cairn_resumes_total')).toEqual(counted('success', 'event', 'full_fold'));
    expect(samples(named, 'cairn_resumes_total', () => true)).toEqual(counted('success'));
    expect(samples(named, 'cairn_resumes_total', (sha256) => sha256 !== 'a'.repeat(64))).toEqual(counted('success', 'event', 'full_fold'));
  });

  it('gives 0.7 for ten waits of which seven go on well (C-M-RESUMES)', () => {
    const outcomes = [...Array.from({ length: 7 }, () => 'good'), 'bad', 'bad', 'bad', 'cut'];
    const events = outcomes.flatMap((outcome, i) => {
      const run = idOf('run', 'default', 'w', String(i));
      const [from, ...appends] = [
        at(0, told.started(), told.checkpoint('wait.wait', 'wait'), told.waitOpened(run, 'wait')),
        at(60, told.waitTriggered(run, 'wait'), told.waitSatisfied(run, 'wait'), told.stepStarted('b')),
        outcome === 'good'
          ? at(61, told.succeeded('b'), told.completed('ok'))
          : outcome === 'bad'
            ? at(61, told.failed('b'))
            : at(61, told.cancelled()),
      ];
      return from === undefined ? [] : historyOf(run, withDigests(run, [from, ...appends]));
    });
    const found = samples(events, 'cairn_resumes_total');
    const [success, failed] = ['success', 'failed'].map((outcome) => found[`from="checkpoint" outcome="${outcome}" trigger="event"`] ?? 0);
    expect([success, failed, found['from="checkpoint" outcome="cut" trigger="event"']]).toEqual([7, 3, 1]);
    expect((success ?? 0) / ((success ?? 0) + (failed ?? 0))).toBe(0.7);
  });
});

describe('metrics of a run on several branches', () => {
  /** `b` fails on main, is done by its fallback on b2; `c` fails there, is retried, then goes on on b3. */
  const told3 = (): StoredEvent[] =>
    recovered(RUN)
      .tell(told.stepStarted('c'), told.failed('c'), told.decided('c', 1, 'retry'), told.stepStarted('c', 2), told.succeeded('c', 2))
      .tell(told.stepStarted('d'), told.failed('d'))
      .fallback('d', 1, 'third')
      .tell(told.stepStarted('d', 2), told.succeeded('d', 2), ...woken('w'), told.completed('ok')).stored;

  it('count each branch when it opens and when it is over, by what it was opened for', () => {
    expect(samples(told3(), 'cairn_branches_opened_total')).toEqual({ 'cause="fallback"': 2 });
    expect(samples(told3(), 'cairn_branches_ended_total')).toEqual({
      'cause="fallback" outcome="superseded"': 1,
      'cause="fallback" outcome="succeeded"': 1,
    });
    expect(samples(told3(), 'cairn_runs')).toEqual({ 'state="complete"': 1 });
  });

  it('take for resolved only what was retried on the branch of its failure', () => {
    expect(samples(told3(), 'cairn_retry_attempts_total')).toEqual({
      'bucket="timeout" decision="fallback"': 2,
      'bucket="timeout" decision="retry"': 1,
    });
    expect(samples(told3(), 'cairn_retry_resolved_total')).toEqual({ 'bucket="timeout"': 1 });
  });

  it('prove a carried wait by the checkpoint of the branch that opened it, a later one by its own branch', () => {
    expect(samples(told3(), 'cairn_resumes_total')).toEqual({ 'from="checkpoint" outcome="success" trigger="signal"': 1 });
    const later = recovered(RUN);
    later.append(opens('later', ['event']));
    later.append(woken('later'));
    later.tell(told.completed('ok'));
    expect(samples(later.stored, 'cairn_resumes_total')).toEqual({ 'from="checkpoint" outcome="success" trigger="event"': 1 });
  });

  it('cut what was going on when the run went on elsewhere', () => {
    const cut = recovered(RUN)
      .tell(told.stepStarted('c'), told.failed('c'), ...woken('w'))
      .fallback('c', 1, 'third');
    expect(samples(cut.stored, 'cairn_resumes_total')).toEqual({ 'from="checkpoint" outcome="cut" trigger="signal"': 1 });
  });

  it('time what a person decides by a branch, once', () => {
    const asked = recovered(RUN).tell(told.stepStarted('c'), told.failed('c'), told.decided('c', 1, 'escalate'));
    const { stored } = asked.supersede(correctionFrom('b2', 2), [], 'user:ana');
    expect(samples(stored, 'cairn_failure_to_decision_seconds_sum')).toEqual({
      'bucket="timeout" decider="policy"': 1,
      'bucket="timeout" decider="human"': 2,
    });
  });

  it('are the same, and so is the row, whatever is delivered again', () => {
    const events = told3();
    const again = events.flatMap((event, i) => [event, ...events.slice(Math.max(0, i - 4), i)]);
    expect(lifecycleMetricsOf(again)).toEqual(lifecycleMetricsOf(events));
  });
});

describe('cairn_events_total', () => {
  it('counts each line of a receipt once, by its outcome', () => {
    const receiptId = idOf('receipt', 'default', '/erp', 'e1');
    const line = (revision: number, outcome: string): StoredEvent =>
      sealAppend(
        {
          stream: receiptStream(receiptId),
          expected: revision - 1,
          prevHash: '',
          ns: 'default',
          at: instantOf(BEGIN),
          actor: 'service:scheduling',
          causationId: receiptId,
        },
        [{ type: 'ReceiptSettled', version: 1, data: { receiptId, outcome, runs: [], nearMisses: [] } }],
      )[0]!;
    const lines = [line(1, 'woke'), line(2, 'started'), line(3, 'woke')];
    expect(samples([...lines, ...lines], 'cairn_events_total')).toEqual({ 'outcome="started"': 1, 'outcome="woke"': 2 });
  });
});

describe('the label workflow', () => {
  it('keeps the first 200 names, then other (B-52)', () => {
    const events = Array.from({ length: 203 }, (_, i) =>
      history(idOf('run', 'default', `w${i}`, 'k'), [told.started(`w${i}`), told.completed('ok')]),
    ).flat();
    const ended = Object.entries(samples(events, 'cairn_runs_ended_total'));
    expect(ended).toHaveLength(201);
    expect(ended.find(([labels]) => labels.includes('workflow="other"'))?.[1]).toBe(3);
  });
});
