import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RunCommand } from './commands.js';
import { runEnds } from './events.js';
import { foldRun } from './evolve.js';
import { deserializeState, serializeState } from './snapshot.js';
import { GivenRun, planWith } from './spec/given-run.js';
import { stateDigest, stateDigestFromScratch } from './state-digest.js';
import { initialState } from './state.js';

/**
 * Goal: laws that hold in any reachable state. Method: random commands, sensible and not, against a definition with parallel steps,
 * a loop, waits and retries; after each command the whole history is checked again.
 */
const plan = planWith([
  { id: 'a', task: { queue: 'q' }, checkpoint: 'first' },
  { id: 'b', after: [], task: { queue: 'q' }, repeat: { until: 'turn == 3', max: 3 } },
  {
    id: 'w',
    after: [],
    wait: { atLeast: { k: 2, of: [{ signal: 'x' }, { signal: 'y' }, { timer: '1h' }] }, deadline: '2h', onDeadline: { step: 'late' } },
  },
  { id: 'late', side: true, task: { queue: 'q' } },
  { id: 'e', after: ['a'], purpose: 'x', effect: { queue: 'q', key: 'k', guarantee: 'none' } },
  { id: 'f', after: ['a'], purpose: 'x', effect: { queue: 'q', key: 'k2', guarantee: 'idempotent' } },
  { id: 'c', after: ['a', 'b', 'w'], optional: true, task: { queue: 'q' }, checkpoint: 'last' },
]);

type Move = { readonly kind: number; readonly pick: number; readonly pass: number };
const moves = fc.array(fc.record({ kind: fc.nat(12), pick: fc.nat(30), pass: fc.nat(5_400_000) }), { maxLength: 40 });

function play(run: GivenRun, move: Move): void {
  run.now += move.kind === 0 ? move.pass : 1;
  const attempts = [...run.state.path.attempts.keys()].sort();
  const closed = [...run.state.path.closed.keys()].sort();
  const retries = [...run.state.path.retries.keys()].sort();
  const pick = (of: string[]): string => of[move.pick % Math.max(1, of.length)] ?? '0'.repeat(26);
  const waitId = run.waitId('w');
  const commands: RunCommand[] = [
    { type: 'ExpireWait', data: { waitId } },
    {
      type: 'RecordReply',
      data: { attemptId: pick(attempts), replyId: `${pick(attempts)}:end`, result: { kind: 'succeeded', output: { n: move.pick } } },
    },
    {
      type: 'RecordReply',
      data: { attemptId: pick(closed), replyId: `late-${move.pick % 3}`, result: { kind: 'succeeded', output: null } },
    },
    {
      type: 'RecordReply',
      data: {
        attemptId: pick(attempts),
        replyId: 'f',
        result: { kind: 'failed', failure: { by: 'handler', message: 'x', sideEffect: 'none' } },
      },
    },
    { type: 'RecordLapse', data: { attemptId: pick(attempts), by: 'lease', message: 'x' } },
    { type: 'WakeRun', data: { kind: 'timer', waitId, trigger: 2 } },
    { type: 'WakeRun', data: { kind: 'retry', attemptId: pick(retries) } },
    { type: 'TakeAttempt', data: { attemptId: pick(attempts), handler: 'h', nonce: `n${move.pick % 2}` } },
    { type: 'PauseRun', data: { by: 'operator' } },
    { type: 'UnpauseRun', data: { by: 'operator' } },
    {
      type: 'RecordReply',
      data: { attemptId: pick(attempts), replyId: 'g', result: { kind: 'failed', failure: { by: 'handler', message: 'y' } } },
    },
  ];
  const command = commands[move.kind];
  if (command !== undefined) run.when(command);
  else if (move.kind === 11 && retries.length > 0) run.decideRetry(pick(retries), move.pick % 4 === 0 ? 'block' : 'retry');
  else run.event('w', `cairn.run.signal.${move.pick % 2 === 0 ? 'x' : 'y'}.v1`, { id: String(move.pick % 4) });
}

describe('the run decider and its fold', () => {
  it('keep their laws under any commands', () => {
    fc.assert(
      fc.property(moves, fc.nat(100), (list, cut) => {
        const run = new GivenRun(plan);
        run.start();
        let ends = 0;
        for (const move of list) play(run, move);

        const started = new Map<string, number>();
        for (const event of run.history) {
          if ((runEnds as readonly string[]).includes(event.type)) ends += 1;
          if (event.type === 'StepStarted') started.set(event.data.step, (started.get(event.data.step) ?? 0) + 1);
          if (event.type === 'StepStarted') expect(event.data.attempt).toBe(started.get(event.data.step)); // I-12
        }
        expect(ends).toBeLessThanOrEqual(1);
        expect(run.history.map(({ revision }) => revision)).toEqual(run.history.map((_, i) => i)); // I-1

        const confirmed = run.history.flatMap((event) => (event.type === 'EffectConfirmed' ? [event.data.key] : []));
        expect(new Set(confirmed).size).toBe(confirmed.length); // I-15
        let paused = false;
        for (const { type } of run.history) {
          if (type === 'RunPaused') paused = true;
          if (type === 'RunUnpaused') paused = false;
          expect(paused && (type === 'StepStarted' || type === 'AttemptTaken' || type === 'RunCompleted')).toBe(false); // I-9
        }
        if (run.state.end !== null) expect([...run.state.ledger.effects.values()].map(({ status }) => status)).not.toContain('intended');

        const open = [...run.state.path.attempts.values()].map(({ step }) => step);
        expect(new Set(open).size).toBe(open.length); // I-11

        const at = Math.min(cut, run.history.length); // I-4: prefix, then rest, is all
        const whole = foldRun(initialState(run.state.runId), run.history);
        const prefix = foldRun(initialState(run.state.runId), run.history.slice(0, at));
        const rest = foldRun(deserializeState(serializeState(prefix)), run.history.slice(at));
        expect(stateDigest(rest)).toBe(stateDigest(whole));
        expect(stateDigestFromScratch(whole)).toBe(stateDigest(run.state)); // incremental = counted anew
        expect(rest.status).toEqual(run.state.status);
      }),
      { numRuns: 300 },
    );
  });
});
