// Goal: `npm test` cannot be green for a wrong reason. Method: jest's report in each way in which a run can go wrong.
import { describe, expect, it } from '@jest/globals';
import { tallyOf } from '../../tools/tally.mjs';

const suite = (tests: readonly [name: string, status: string][], more: object = {}): object => ({
  name: 'a.spec.ts',
  status: tests.some(([, status]) => status === 'failed') ? 'failed' : 'passed',
  message: '',
  assertionResults: tests.map(([fullName, status]) => ({ fullName, status })),
  ...more,
});
const report = (...suites: object[]): string => JSON.stringify({ testResults: suites });

describe('a run of jest', () => {
  it('is counted test by test', () => {
    expect(
      tallyOf(
        report(
          suite([
            ['one', 'passed'],
            ['two', 'failed'],
          ]),
          suite([['three', 'passed']]),
        ),
        1,
      ),
    ).toMatchObject({ passed: 2, failed: 1, problems: [] });
  });

  it.each(['pending', 'todo', 'skipped', 'disabled'])('fails for a test that is %s', (status) => {
    const tally = tallyOf(
      report(
        suite([
          ['one', 'passed'],
          ['two', status],
        ]),
      ),
      0,
    );
    expect(tally).toMatchObject({ passed: 1, failed: 1 });
    expect(tally.failedNames.join()).toContain('notRun()');
  });

  it.each([
    ['the runner crashed', undefined, null],
    ['it ran nothing', report(), 0],
    ['a file has no test', report(suite([])), 0],
    ['a file could not be loaded', report(suite([], { status: 'failed', message: 'Cannot find module' })), 1],
    ['it ended badly after green tests', report(suite([['one', 'passed']])), 1],
    ['it was killed after green tests', report(suite([['one', 'passed']])), null],
  ])('is no success if %s', (_, text, code) => {
    expect(tallyOf(text, code).problems).toHaveLength(1);
  });
});
