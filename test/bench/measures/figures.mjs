export function quantile(values, q) {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))], 3);
}

export const round = (value, digits) => Number(value.toFixed(digits));
export const seconds = (ms) => round(ms / 1000, 3);

/** Does `work` for each of 0 … count-1, `lanes` at a time. */
export async function inLanes(count, lanes, work) {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
}
