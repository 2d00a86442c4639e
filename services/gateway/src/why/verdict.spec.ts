import { describe, expect, it } from '@jest/globals';
import { hasReason, verdictText } from './verdict.js';

const RULE = 'mine@3#rate_limited';

describe('why a failure was not tried again, as people read it', () => {
  it.each([
    [`${RULE}; attempts 3 of 3`, `all 3 of 3 attempts that rule ${RULE} allows are used`],
    [`${RULE}; attempts 4 of 3`, `4 attempts were made, more than the 3 that rule ${RULE} allows`],
    [`${RULE}; perStep 8 of 8`, 'all 8 of 8 attempts that policy mine@3 allows a step (limits.perStep) are used'],
    [`${RULE}; perRun 25 of 25`, '25 attempts of the run have failed, and policy mine@3 bears 25 in a run (limits.perRun)'],
    [
      `${RULE}; elapsed 61000 of 60000 ms`,
      `another attempt would begin 1m 01s after the first failure, and none may later than 1m 00s after it (elapsed, rule ${RULE})`,
    ],
    [
      `${RULE}; pause 691200000 of 604800000 ms`,
      `another attempt would have to wait 8d 00h, and no pause may be longer than 7d 00h (rule ${RULE})`,
    ],
    [`${RULE}; usd 3.25 of 3`, 'the run has cost 3.25 USD, and policy mine@3 allows 3 (limits.usd)'],
    [`${RULE}; no new evidence`, `rule ${RULE} asks for new evidence, and this failure shows nothing that earlier ones did not`],
    [`${RULE}; no expected change`, `rule ${RULE} does not say what would be different next time (expects)`],
    [
      'mine@3#effect_unknown; side effect unknown',
      'something may have happened outside, which nobody knows, so rule mine@3#effect_unknown does not try again',
    ],
    [
      'mine@3#effect_unknown; side effect applied',
      'its handler says that something happened outside, so rule mine@3#effect_unknown does not try again',
    ],
    [
      `${RULE}; modify changes nothing`,
      `the attempt was given what rule ${RULE} would change it to (modify), so there is nothing more to change`,
    ],
    [
      `${RULE}; modify[0]: there is nothing at /params/x to replace`,
      `rule ${RULE} does not try again ("modify[0]: there is nothing at /params/x to replace")`,
    ],
    [
      `${RULE}; attempts 3 of 3; no fallback: perRun 25 of 25`,
      `all 3 of 3 attempts that rule ${RULE} allows are used; no fallback is taken, since 25 attempts of the run have failed, and policy mine@3 bears 25 in a run (limits.perRun)`,
    ],
    [
      `${RULE}; not retried; no reduced scope: side effect unknown`,
      `rule ${RULE} does not try again; no reduced scope is taken, since what may have happened outside is not known`,
    ],
    [
      `${RULE}; not retried; no fallback: the step declares no alternative 7`,
      `rule ${RULE} does not try again; no fallback is taken, since "the step declares no alternative 7"`,
    ],
    [`${RULE}; a reason of another release`, `rule ${RULE} does not try again ("a reason of another release")`],
    ['mine@3#auth', 'rule mine@3#auth does not try again'],
    [
      'mine@3#unclassified',
      'policy mine@3 has no rule that holds for it, and what it has no rule for is never tried again (rule mine@3#unclassified)',
    ],
  ])('%s', (justified, says) => {
    expect(verdictText(justified, 'billing')).toBe(says);
  });

  it('tells what nobody recognised from what the policy has no rule for', () => {
    const says = 'what nobody recognises is never tried again (rule mine@3#unclassified[1])';
    expect(verdictText('mine@3#unclassified[1]', 'unclassified')).toBe(says);
  });

  it('knows a limit from the rule itself', () => {
    expect([hasReason(RULE), hasReason(`${RULE}; no new evidence`)]).toEqual([false, true]);
  });
});
