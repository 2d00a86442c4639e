// What several rounds say together: the middle of each figure, and how it compares with the peer of the same run.

/** Figures that compare engines, and whether more of it is better. */
const compared = {
  throughput: { figure: 'stepsPerSecond', more: true },
  signals: { figure: 'runsPerSecond', more: true },
  parking: { figure: 'seconds', more: false },
  lostHandlers: { figure: 'secondsFromRestart', more: false },
  lostServer: { figure: 'secondsFromRestart', more: false },
};

/** Rows of all rounds -> one row for each engine, workload and in flight. */
export function medians(rows) {
  const groups = new Map();
  for (const row of rows) {
    const key = JSON.stringify([row.engine, row.workload, row.inFlight]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((same) => ({ ...middle(same), rounds: same.length }));
}

/** Adds `ratio` to each row that has a peer's beside it: the best set-up of the peer. */
export function withRatios(rows, workloads, peers) {
  return rows.map((row) => {
    const { figure, more } = compared[workloads[row.workload].take];
    const theirs = rows
      .filter((other) => peers.has(other.engine) && other.workload === row.workload && other.inFlight === row.inFlight)
      .map((other) => other[figure]);
    if (theirs.length === 0 || peers.has(row.engine)) return row;
    const ratio = more ? row[figure] / Math.max(...theirs) : Math.min(...theirs) / row[figure];
    return { ...row, ratio: Number(ratio.toFixed(2)), ratioOf: figure };
  });
}

/** Of numbers the middle one; of objects the middle of each field; of anything else the first. */
function middle(values) {
  const [first] = values;
  if (typeof first === 'number') return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
  if (typeof first !== 'object' || first === null) return first;
  return Object.fromEntries(Object.keys(first).map((name) => [name, middle(values.map((value) => value[name]))]));
}
