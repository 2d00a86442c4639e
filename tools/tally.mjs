// What a jest run amounts to: its counts, and whatever makes a green run untrue.

/** `text`: jest's JSON report, or undefined if it wrote none. `code`: its exit code, null if it was killed. */
export function tallyOf(text, code) {
  const tally = { passed: 0, failed: 0, failedNames: [], problems: [] };
  if (text === undefined) {
    tally.problems.push(`the runner crashed (exit ${code}) and reported nothing`);
    return tally;
  }
  const report = JSON.parse(text);
  for (const suite of report.testResults) {
    const counts = { passed: 0, failed: 0 };
    for (const test of suite.assertionResults) {
      const name = `${test.fullName} (${suite.name})`;
      if (test.status === 'passed') counts.passed += 1;
      else {
        counts.failed += 1;
        tally.failedNames.push(
          test.status === 'failed' ? name : `${name}: ${test.status}; no test may be skipped, call notRun() with a reason`,
        );
      }
    }
    if (suite.status === 'failed' && counts.failed === 0) tally.problems.push(`${suite.name} did not run: ${firstLine(suite.message)}`);
    else if (suite.assertionResults.length === 0) tally.problems.push(`${suite.name} has no test`);
    tally.passed += counts.passed;
    tally.failed += counts.failed;
  }
  if (report.testResults.length === 0) tally.problems.push('ran nothing');
  if (code !== 0 && tally.failed === 0 && tally.problems.length === 0) tally.problems.push(`the runner ended with exit ${code}`);
  return tally;
}

const firstLine = (message) =>
  (message ?? '')
    .split('\n')
    .find((line) => /\w/.test(line) && !/Test suite failed/.test(line))
    ?.trim() ?? '';
