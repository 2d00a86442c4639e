import { describe, expect, it } from '@jest/globals';
import { idOf, type Id, type StoredEvent } from '@cairn/kernel';
import fc from 'fast-check';
import { history } from '../spec/histories.js';
import { walk } from '../spec/random-runs.js';
import { lifecycleMetricsOf } from './recompute.js';

/**
 * Goal: the lifecycle metrics are what somebody counts who only looks at the history (E-4 of `reliability.md`), however a tail delivers
 * it. Method: random runs, counted here by looking at types alone.
 */
const runs = fc.array(fc.array(fc.nat(10_000), { minLength: 5, maxLength: 45 }), { minLength: 1, maxLength: 3 }).map((all) =>
  all.map((picks, i) => {
    const run: Id = idOf('run', 'default', 'w', String(i));
    return history(run, walk(run, picks));
  }),
);

const sumOf = (samples: ReadonlyMap<string, number>, metric: string): number =>
  [...samples].reduce((sum, [name, value]) => (name.startsWith(`${metric}{`) ? sum + value : sum), 0);
const countOf = (events: readonly StoredEvent[], ...types: string[]): number => events.filter(({ type }) => types.includes(type)).length;
const ENDS = ['RunCompleted', 'RunFailed', 'RunGaveUp', 'RunCancelled'];

describe('lifecycle metrics', () => {
  it('add up to what is in the history', () => {
    fc.assert(
      fc.property(runs, (histories) => {
        const events = histories.flat();
        const samples = lifecycleMetricsOf(events);
        expect(sumOf(samples, 'cairn_runs')).toBe(histories.length);
        expect(sumOf(samples, 'cairn_runs_ended_total')).toBe(countOf(events, ...ENDS));
        expect(sumOf(samples, 'cairn_retry_attempts_total')).toBe(countOf(events, 'RetryDecided'));
        const decided = events.filter(({ type, data }) => type === 'RetryDecided' && data['decision'] !== 'escalate').length;
        expect(sumOf(samples, 'cairn_failure_to_decision_seconds_count')).toBe(decided);
        const resolved = events.filter(({ type, data }, i) => {
          const before = events.slice(0, i).filter((event) => event.metadata.runId === events[i]?.metadata.runId);
          return type === 'StepSucceeded' && before.some((event) => event.type === 'StepFailed' && event.data['step'] === data['step']);
        });
        expect(sumOf(samples, 'cairn_retry_resolved_total')).toBe(resolved.length);
        expect(sumOf(samples, 'cairn_resumes_total')).toBeLessThanOrEqual(countOf(events, 'WaitSatisfied', 'WaitExpired'));
      }),
      { numRuns: 40 },
    );
  });

  it('of runs that have ended give durations that add up to their ages (C-STATES)', () => {
    fc.assert(
      fc.property(runs, (histories) => {
        const ended = histories.filter((events) => events.some(({ type }) => ENDS.includes(type)));
        const ages = ended.map((events) => Date.parse(events.find(({ type }) => ENDS.includes(type))!.at) - Date.parse(events[0]!.at));
        expect(sumOf(lifecycleMetricsOf(ended.flat()), 'cairn_state_seconds_sum') * 1_000).toBeCloseTo(
          ages.reduce((a, b) => a + b, 0),
          3,
        );
      }),
      { numRuns: 40 },
    );
  });

  it('are the same when the streams come mixed, and when events come again', () => {
    fc.assert(
      fc.property(runs, fc.array(fc.nat(1_000), { maxLength: 80 }), (histories, picks) => {
        const straight = lifecycleMetricsOf(histories.flat());
        const rest = histories.map((events) => [...events]);
        const mixed: StoredEvent[] = [];
        for (const pick of picks) {
          const event = rest[pick % rest.length]?.shift();
          if (event !== undefined) mixed.push(event);
          if (pick % 7 === 0) mixed.push(...mixed.slice(-(pick % 50))); // The tail opens again somewhere behind.
        }
        expect(lifecycleMetricsOf([...mixed, ...rest.flat()])).toEqual(straight);
      }),
      { numRuns: 40 },
    );
  });
});
