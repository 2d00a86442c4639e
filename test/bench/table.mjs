const columns = [
  ['workload', (row) => row.workload],
  ['in flight', (row) => row.inFlight],
  ['runs/s', (row) => row.runsPerSecond ?? ''],
  ['steps/s', (row) => row.stepsPerSecond ?? ''],
  ['CPU ms/step', (row) => row.cpuMsPerStep ?? ''],
  ['server', (row) => row.cpuMsPerStepBy?.server ?? ''],
  ['handler', (row) => row.cpuMsPerStepBy?.handler ?? ''],
  ['client', (row) => row.cpuMsPerStepBy?.client ?? ''],
  ['step p50 ms', (row) => row.stepP50Ms ?? ''],
  ['step p99 ms', (row) => row.stepP99Ms ?? ''],
  ['run p50 ms', (row) => row.runP50Ms ?? ''],
  ['fsync/s', (row) => row.fsyncLimitPerSecond],
  ['first, last tenth', (row) => (row.firstTenthPerSecond === undefined ? '' : `${row.firstTenthPerSecond}, ${row.lastTenthPerSecond}`)],
  ['s from restart', (row) => row.secondsFromRestart ?? ''],
  ['run again', (row) => row.stepsRunAgain ?? ''],
];

/** Rows for people. */
export function table(rows) {
  const lines = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, cell]) => String(cell(row))))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines.map((line) => line.map((cell, i) => cell.padStart(widths[i])).join('  ')).join('\n');
}
