import type { Labels, Metrics } from '@cairn/ports';

interface Total {
  readonly name: string;
  readonly labels: Labels;
  readonly kind: 'counter' | 'histogram' | 'judged';
  /** Times that something was said. */
  times: number;
  /** What it adds up to. */
  sum: number;
}

/** Passes on what is counted and keeps the totals: what a scrape shows since the start, to be compared with a fold made anew (U-20). */
export class CountedMetrics implements Metrics {
  private totals = new Map<string, Total>();

  /** `shown`: where it is scraped; without it only totals are kept. */
  constructor(private readonly shown?: Metrics) {}

  count(name: string, labels: Labels = {}, by = 1): void {
    this.shown?.count(name, labels, by);
    this.add('counter', name, labels, by);
  }

  /** A gauge is a state and tells it anew at each scrape: nothing is kept. */
  gauge(name: string, value: number, labels: Labels = {}): void {
    this.shown?.gauge(name, value, labels);
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    this.shown?.observe(name, value, labels);
    this.add('histogram', name, labels, value);
  }

  /** Something that others count once they have looked closer. */
  judge(name: string, labels: Labels): void {
    this.add('judged', name, labels, 1);
  }

  *entries(): Iterable<readonly [kind: string, key: string, value: unknown]> {
    for (const [key, { times, sum }] of this.totals) yield ['counted', key, { times, sum }];
  }

  /** What a counter lacks is added; one that is too high, or a histogram, is right after the next start only: Prometheus knows no way back. */
  adopt({ totals }: CountedMetrics): void {
    for (const [key, { name, labels, kind, sum }] of totals) {
      const lacks = sum - (this.totals.get(key)?.sum ?? 0);
      if (kind === 'counter' && lacks > 0) this.shown?.count(name, labels, lacks);
    }
    this.totals = totals;
  }

  private add(kind: Total['kind'], name: string, labels: Labels, by: number): void {
    const key = `${name} ${JSON.stringify(labels)}`;
    const total = this.totals.get(key);
    if (total === undefined) this.totals.set(key, { name, labels, kind, times: 1, sum: by });
    else {
      total.times += 1;
      total.sum += by;
    }
  }
}
