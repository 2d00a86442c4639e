const columns = [
  ['', (row) => row.engine],
  ['workload', (row) => row.workload],
  ['in flight', (row) => row.inFlight],
  ['runs/s', (row) => row.runsPerSecond],
  ['steps/s', (row) => row.stepsPerSecond],
  ['ratio', (row) => row.ratio],
  ['CPU ms/step', (row) => row.cpuMsPerStep],
  ['server', (row) => row.cpuMsPerStepBy && serverPart(row.cpuMsPerStepBy)],
  ['handler', (row) => row.cpuMsPerStepBy?.handler],
  ['client', (row) => row.cpuMsPerStepBy?.client],
  ['step p50 ms', (row) => row.stepP50Ms],
  ['step p99 ms', (row) => row.stepP99Ms],
  ['bus/step', (row) => row.busPerStep && `${row.busPerStep.publishes}+${row.busPerStep.acks}`],
  ['run p50 ms', (row) => row.runP50Ms],
  ['run p99 ms', (row) => row.runP99Ms],
  ['fsync/s', (row) => row.fsyncLimitPerSecond],
  ['first, last tenth', (row) => row.firstTenthPerSecond && `${row.firstTenthPerSecond}, ${row.lastTenthPerSecond}`],
  ['seconds', (row) => (row.diskBytesPerRun === undefined ? undefined : row.seconds)],
  ['disk B/run', (row) => row.diskBytesPerRun],
  ['MB', (row) => row.memoryMb && Object.values(row.memoryMb).map(Math.round).join('+')],
  ['s from restart', (row) => row.secondsFromRestart],
  ['lost', (row) => row.lostRuns],
  ['run again', (row) => row.stepsRunAgain],
];

/** Whatever is neither handler nor client. */
function serverPart(by) {
  const parts = Object.entries(by).filter(([who]) => who !== 'handler' && who !== 'client');
  return Number(parts.reduce((sum, [, ms]) => sum + ms, 0).toFixed(4));
}

/** Rows for people: columns that say something, and below them how each engine makes a step durable. */
export function table(rows, engines) {
  const shown = columns.filter(([, cell]) => rows.some((row) => cell(row) !== undefined));
  const lines = [shown.map(([name]) => name), ...rows.map((row) => shown.map(([, cell]) => String(cell(row) ?? '')))];
  const widths = shown.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const durability = engines.map(({ name, durability }) => `${name}: ${durability}`);
  return [...lines.map((line) => line.map((cell, i) => cell.padStart(widths[i])).join('  ')), '', ...durability].join('\n');
}
