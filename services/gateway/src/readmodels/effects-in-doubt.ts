/** Of one run: the effect key that each unsettled step went out with, and the keys of which nobody knows whether they happened. */
export class EffectsInDoubt {
  private readonly keys: Map<string, string>;
  private readonly unknown: Set<string>;

  constructor(before?: EffectsInDoubt) {
    this.keys = new Map(before?.keys);
    this.unknown = new Set(before?.unknown);
  }

  copy(): EffectsInDoubt {
    return new EffectsInDoubt(this);
  }

  intend(step: string, key: string): void {
    this.keys.set(step, key);
    this.unknown.delete(key);
  }

  /** An attempt that finds out about an effect, or undoes it: no intent. */
  askAbout(step: string, key: string): void {
    this.keys.set(step, key);
  }

  keyOf(step: string): string | undefined {
    return this.keys.get(step);
  }

  doubt(key: string): void {
    this.unknown.add(key);
  }

  clear(key: string): void {
    this.unknown.delete(key);
  }

  /** The step is settled, or goes out again and will say with which key. */
  forget(step: string): void {
    this.keys.delete(step);
  }

  isUnknown(step: string): boolean {
    const key = this.keys.get(step);
    return key !== undefined && this.unknown.has(key);
  }
}
