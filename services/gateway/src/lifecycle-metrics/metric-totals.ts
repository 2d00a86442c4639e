import type { MetricDeclaration } from '@cairn/contracts';
import { invariant } from '@cairn/kernel';
import type { Labels, Metrics } from '@cairn/ports';

/** Milliseconds: what durations are known to. */
const PRECISION = 1_000;

/** Metrics as plain numbers, by the names and labels that a scrape shows: what one recomputation gives, to be compared with another. */
export class MetricTotals implements Metrics {
  private readonly values = new Map<string, number>();
  private readonly declared: ReadonlyMap<string, MetricDeclaration>;

  constructor(declarations: readonly MetricDeclaration[]) {
    this.declared = new Map(declarations.map((declaration) => [declaration.name, declaration]));
  }

  count(name: string, labels: Labels = {}, by = 1): void {
    this.add(name, labels, by);
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    this.values.set(sampleName(name, labels), value);
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    const declaration = this.declared.get(name);
    invariant(declaration !== undefined, `metric ${name} is not declared`);
    for (const bound of declaration.buckets ?? []) if (value <= bound) this.add(`${name}_bucket`, { ...labels, le: String(bound) }, 1);
    this.add(`${name}_bucket`, { ...labels, le: '+Inf' }, 1);
    this.add(`${name}_sum`, labels, value);
    this.add(`${name}_count`, labels, 1);
  }

  /** `name{label="value",…}` (labels in the alphabet's order) to its value, to the millisecond; what is 0 is left out. */
  samples(): ReadonlyMap<string, number> {
    const rounded = [...this.values].map(([name, value]) => [name, Math.round(value * PRECISION) / PRECISION] as const);
    return new Map(rounded.filter(([, value]) => value !== 0).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private add(name: string, labels: Labels, by: number): void {
    const key = sampleName(name, labels);
    this.values.set(key, (this.values.get(key) ?? 0) + by);
  }
}

function sampleName(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.sort().join(',')}}`;
}
