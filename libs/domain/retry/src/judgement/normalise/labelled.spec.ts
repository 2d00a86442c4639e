import { describe, expect, it } from '@jest/globals';
import { defaultPolicy } from '../../policy/default-policy.js';
import { isList } from '../../policy/document.js';
import { failedAt, type LabelledFailure } from '../../spec/labelled-failure.js';
import { labelledFailuresA } from '../../spec/labelled-failures-a.js';
import { labelledFailuresB } from '../../spec/labelled-failures-b.js';
import { normalise } from './normalise.js';

/**
 * Goal: the share of failures that are judged as a person would judge them, printed for both halves (C-CLASSIFY), and that the dangerous
 * mistake does not happen: to try again what cannot succeed. Method: recorded-looking failures with labels; half B was labelled before the
 * normaliser was written and is not tuned on, so it says what to expect of failures that nobody has seen.
 */
const halves: readonly [string, readonly LabelledFailure[], number][] = [
  ['A, tuned on', labelledFailuresA, 0.95],
  ['B, held out', labelledFailuresB, 0.85],
];
const judged = ({ failure }: LabelledFailure) => normalise({ by: 'handler', ...failure }, failedAt);

function isRetried(bucket: LabelledFailure['bucket']): boolean {
  const rule = defaultPolicy.buckets[bucket];
  return rule !== undefined && !isList(rule) && rule.retry !== false;
}

const wrong = (half: readonly LabelledFailure[]): string[] =>
  half.flatMap((labelled) => {
    const { bucket, retryAfter } = judged(labelled);
    if (bucket !== labelled.bucket) return [`${labelled.says}: ${bucket}, not ${labelled.bucket}`];
    return retryAfter === labelled.retryAfter ? [] : [`${labelled.says}: retryAfter ${retryAfter}, not ${labelled.retryAfter}`];
  });

describe('the labelled failures', () => {
  it('are at least 120', () => {
    expect(labelledFailuresA.length + labelledFailuresB.length).toBeGreaterThanOrEqual(120);
  });

  it.each(halves)('half %s', (name, half, atLeast) => {
    const mistakes = wrong(half);
    const accuracy = 1 - mistakes.length / half.length;
    process.stdout.write(
      `failure normaliser, half ${name}: ${half.length - mistakes.length} of ${half.length} right (${(accuracy * 100).toFixed(1)} %)${mistakes.map((mistake) => `\n  ${mistake}`).join('')}\n`,
    );
    expect(accuracy).toBeGreaterThanOrEqual(atLeast);
  });

  it('none that cannot pass by itself is judged into a bucket that is retried by default', () => {
    const hopeful = [...labelledFailuresA, ...labelledFailuresB].filter(
      (labelled) => !isRetried(labelled.bucket) && isRetried(judged(labelled).bucket),
    );
    expect(hopeful.map(({ says }) => says)).toEqual([]);
  });
});
