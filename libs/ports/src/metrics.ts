/** Names and labels are those of `contracts`; a label's values are a closed set, created with 0 at the start where it is known. */
export interface Metrics {
  /** Adds to a counter (default 1; never negative). */
  count(name: string, labels?: Labels, by?: number): void;
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: Labels): void;
  /** Observes a histogram's value, in the metric's unit. */
  observe(name: string, value: number, labels?: Labels): void;
}

export type Labels = Readonly<Record<string, string>>;
