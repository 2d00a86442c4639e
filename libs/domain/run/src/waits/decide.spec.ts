import { describe, expect, it } from '@jest/globals';
import { instantOf } from '@cairn/kernel';
import { GivenRun, planWith, START } from '../spec/given-run.js';

const task = (id: string, more: object = {}): object => ({ id, task: { queue: 'q' }, ...more });
const wait = (more: object): object => ({ id: 'w', wait: { deadline: '2h', onDeadline: { value: 'none' }, ...more } });
const on = (type: string, more: object = {}): object => ({ event: { type, key: '${input.key}', ...more } });
const TWO_HOURS_MS = 7_200_000;

describe('waits', () => {
  it('open with their checkpoint in one append and say when the run may continue (C-WAITCKPT, C-CONTINUE, I-18)', () => {
    const run = new GivenRun(
      planWith([wait({ any: [on('doc.received', { where: "event.data.kind == 'W8'" })], staleAfter: '1h' })], {
        goal: 'Vendor ${input.key}',
      }),
    );
    expect(run.start({ key: 'V-1' })).toEqual(['RunStarted', 'CheckpointReached(w)', 'WaitOpened(w)']);
    expect(run.state.status).toMatchObject({ state: 'waiting', sub: 'event' });
    expect(run.history.at(-1)?.data).toMatchObject({
      triggers: [{ kind: 'event', type: 'doc.received', key: 'V-1', where: "event.data.kind == 'W8'" }],
      deadline: instantOf(START + TWO_HOURS_MS),
      staleAt: instantOf(START + TWO_HOURS_MS / 2),
      restores: 'w.wait',
      contract: { intent: 'Vendor V-1', branch: 'main', clauses: [{ id: 'head' }, { id: 'trigger' }, { id: 'deadline' }] },
    });
  });

  it('say why they have no deadline, also when the definition was only warned about it (I-22)', () => {
    const run = new GivenRun(
      planWith([
        { id: 'w', wait: { any: [{ timer: '1h' }] } },
        { id: 'v', after: [], wait: { any: [{ signal: 'go' }] } },
      ]),
    );
    run.start();
    const reasons = run.history.flatMap((event) => (event.type === 'WaitOpened' ? [event.data.noDeadline] : []));
    expect(reasons).toEqual([
      { because: 'its timers end it', by: 'definition' },
      { because: 'none is declared', by: 'definition' },
    ]);
  });

  it('are satisfied by the event they declared, once, and by nothing else (I-20, I-21)', () => {
    const run = new GivenRun(planWith([wait({ any: [on('doc.received')] }), task('b', { input: '${steps.w.output.data.n}' })]));
    run.start({ key: 'V-1' });
    expect(run.event('w', 'doc.received', { key: 'V-2' })).toBe('nothing: no_match');
    expect(run.event('w', 'doc.received.v1', { key: 'V-1', data: { n: 4 } })).toEqual([
      'WaitTriggered(w)',
      'WaitSatisfied(w)',
      'StepStarted(b)',
    ]);
    expect(run.state.path.steps.get('b')?.work?.input).toBe(4);
    expect(run.event('w', 'doc.received', { key: 'V-1' })).toBe('nothing: late');
  });

  it('need all, or k of their triggers; one event counts once per wait', () => {
    const triggers = [on('a.came'), on('b.came'), { signal: 'go' }];
    const all = new GivenRun(planWith([wait({ all: triggers })]));
    all.start({ key: 'k' });
    expect(all.event('w', 'b.came', { key: 'k', id: '1' })).toEqual(['WaitTriggered(w)']);
    expect(all.event('w', 'b.came', { key: 'k', id: '1' })).toBe('nothing: duplicate');
    expect(all.event('w', 'b.came', { key: 'k', id: '2' })).toBe('nothing: unchanged');
    expect(all.event('w', 'a.came', { key: 'k', id: '3' })).toEqual(['WaitTriggered(w)']);
    expect(all.event('w', 'cairn.run.signal.go.v1', { id: '4' })).toEqual(['WaitTriggered(w)', 'WaitSatisfied(w)', 'RunCompleted']);

    const two = new GivenRun(planWith([wait({ atLeast: { k: 2, of: triggers } })]));
    two.start({ key: 'k' });
    two.event('w', 'b.came', { key: 'k', id: '1' });
    expect(two.event('w', 'cairn.run.signal.go.v1', { id: '2' })).toEqual(['WaitTriggered(w)', 'WaitSatisfied(w)', 'RunCompleted']);
  });

  it('do not fire early by the clock of execution (I-21)', () => {
    const run = new GivenRun(planWith([wait({ any: [{ timer: '30m' }, on('x.y')] })]));
    run.start({ key: 'k' });
    const ring = { type: 'WakeRun', data: { kind: 'timer', waitId: run.waitId('w'), trigger: 0 } } as const;
    run.now = START + 1_799_999;
    expect(run.when(ring)).toBe('nothing: early');
    run.now = START + 1_800_000;
    expect(run.when(ring)).toEqual(['WaitTriggered(w)', 'WaitSatisfied(w)', 'RunCompleted']);
  });

  it('expire as they declared: a value, a side step, a failure, giving up (C-NOIMPLICIT)', () => {
    const expired = (onDeadline: object, more: readonly object[] = []): GivenRun => {
      const run = new GivenRun(planWith([{ id: 'w', wait: { any: [{ signal: 'go' }], deadline: '2h', onDeadline } }, ...more, task('b')]));
      run.start();
      expect(run.when({ type: 'ExpireWait', data: { waitId: run.waitId('w') } })).toBe('nothing: early');
      run.now = START + TWO_HOURS_MS;
      return run;
    };
    const expire = (run: GivenRun): string[] | string => run.when({ type: 'ExpireWait', data: { waitId: run.waitId('w') } });

    const value = expired({ value: { none: true } });
    expect(expire(value)).toEqual(['WaitExpired(w)', 'StepStarted(b)']);
    expect(expire(value)).toBe('nothing: late');

    const side = expired({ step: 'chase' }, [task('chase', { side: true })]);
    expect(expire(side)).toEqual(['WaitExpired(w)', 'StepStarted(chase)']);
    expect(side.succeed('chase')).toEqual(['StepSucceeded(chase)', 'StepStarted(b)']);

    expect(expire(expired({ fail: 'not_found' }))).toEqual(['WaitExpired(w)', 'RunFailed(w)']);
    expect(expire(expired({ giveUp: true }))).toEqual(['WaitExpired(w)', 'RunGaveUp(w)']);
  });

  it('collect until the deadline with keepOpen', () => {
    const run = new GivenRun(planWith([wait({ any: [on('bid.made')], keepOpen: true }), task('b', { input: '${steps.w.output}' })]));
    run.start({ key: 'k' });
    run.event('w', 'bid.made', { key: 'k', id: '1', data: 1 });
    expect(run.event('w', 'bid.made', { key: 'k', id: '2', data: 2 })).toEqual(['WaitTriggered(w)']);
    run.now = START + TWO_HOURS_MS;
    expect(run.when({ type: 'ExpireWait', data: { waitId: run.waitId('w') } })).toEqual(['WaitSatisfied(w)', 'StepStarted(b)']);
    expect(run.state.path.steps.get('b')?.work?.input).toHaveLength(2);
  });

  it('stay open where the guard is false at the wake', () => {
    const run = new GivenRun(planWith([wait({ any: [on('x.y')], guard: 'event.data.n > 3' })]));
    run.start({ key: 'k' });
    expect(run.event('w', 'x.y', { key: 'k', id: '1', data: { n: 1 } })).toBe('rejected: clause_broken');
    expect(run.state.path.counts.openWaits).toBe(1);
    expect(run.event('w', 'x.y', { key: 'k', id: '2', data: { n: 4 } })).toEqual(['WaitTriggered(w)', 'WaitSatisfied(w)', 'RunCompleted']);
  });

  it('are marked stale once, by age, and stay open', () => {
    const run = new GivenRun(planWith([wait({ any: [{ signal: 'go' }], staleAfter: '1h' })]));
    run.start();
    const mark = { type: 'MarkStale', data: { waitId: run.waitId('w') } } as const;
    expect(run.when(mark)).toBe('nothing: early');
    run.now = START + 3_600_000;
    expect(run.when(mark)).toEqual(['WaitStale(w)']);
    expect(run.when(mark)).toBe('nothing: duplicate');
    expect(run.state.status.state).toBe('waiting');
  });

  it('are withdrawn when the run ends over them (I-30)', () => {
    const run = new GivenRun(
      planWith([
        wait({ any: [{ signal: 'go' }], onDeadline: { fail: 'timeout' } }),
        { id: 'v', after: [], wait: { any: [{ signal: 'go' }], deadline: '9h', onDeadline: { value: 1 } } },
      ]),
    );
    run.start();
    run.now = START + TWO_HOURS_MS;
    expect(run.when({ type: 'ExpireWait', data: { waitId: run.waitId('w') } })).toEqual([
      'WaitExpired(w)',
      'WaitWithdrawn(v)',
      'RunFailed(w)',
    ]);
  });
});
