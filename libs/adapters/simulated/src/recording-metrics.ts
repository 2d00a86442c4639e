import { invariant } from '@cairn/kernel';
import type { Labels, Metrics } from '@cairn/ports';

/** Metrics that remember what they were told, for whoever asserts on it. */
export interface RecordingMetrics extends Metrics {
  /** A counter's sum or a gauge's last value; 0 if never told. */
  value(name: string, labels?: Labels): number;
  /** A histogram's values, in order. */
  observations(name: string, labels?: Labels): readonly number[];
}

export function createRecordingMetrics(): RecordingMetrics {
  const values = new Map<string, number>();
  const seen = new Map<string, number[]>();
  return {
    count: (name, labels, by = 1) => {
      invariant(by >= 0, `metric ${name}: a counter never falls`);
      const key = keyOf(name, labels);
      values.set(key, (values.get(key) ?? 0) + by);
    },
    gauge: (name, value, labels) => void values.set(keyOf(name, labels), value),
    observe: (name, value, labels) => {
      const key = keyOf(name, labels);
      const list = seen.get(key);
      if (list === undefined) seen.set(key, [value]);
      else list.push(value);
    },
    value: (name, labels) => values.get(keyOf(name, labels)) ?? 0,
    observations: (name, labels) => seen.get(keyOf(name, labels)) ?? [],
  };
}

/** Labels are a set: their order does not matter. */
function keyOf(name: string, labels: Labels = {}): string {
  return JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
