import { invariant } from '@cairn/kernel';
import type { Labels, Metrics } from '@cairn/ports';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** One metric as data (`contracts` declares them all). */
export interface MetricSpec {
  /** `cairn_<noun>_<unit>`. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram, in the metric's unit. */
  readonly buckets?: readonly number[];
  /** Label values that are known beforehand: shown as 0 from the start, so that a rate over them is right. */
  readonly known?: readonly Labels[];
}

export interface PromMetrics extends Metrics {
  /** All metrics in Prometheus's text format. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** Metrics on prom-client, in a registry of their own. A name that no spec declares, or labels that it does not, are a bug. */
export function createPromMetrics(specs: readonly MetricSpec[]): PromMetrics {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const { name, kind, help, labels = [], buckets, known = labels.length === 0 ? [{}] : [] } of specs) {
    const config = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === 'counter') {
      const counter = new Counter(config);
      for (const values of known) counter.inc(values, 0);
      counters.set(name, counter);
    } else if (kind === 'gauge') {
      const gauge = new Gauge(config);
      for (const values of known) gauge.set(values, 0);
      gauges.set(name, gauge);
    } else {
      const histogram = new Histogram({ ...config, ...(buckets === undefined ? {} : { buckets: [...buckets] }) });
      for (const values of known) histogram.zero(values);
      histograms.set(name, histogram);
    }
  }
  return {
    count: (name, labels = NONE, by = 1) => {
      invariant(by >= 0, `metric ${name}: a counter never falls`);
      declared(counters, name).inc(labels, by);
    },
    gauge: (name, value, labels = NONE) => declared(gauges, name).set(labels, value),
    observe: (name, value, labels = NONE) => declared(histograms, name).observe(labels, value),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

const NONE: Labels = {};

function declared<M>(metrics: ReadonlyMap<string, M>, name: string): M {
  const metric = metrics.get(name);
  invariant(metric !== undefined, `metric ${name} is not declared as one of its kind`);
  return metric;
}
