/**
 * Ids that came within a window of time, in two generations: when the young one has lasted for a window, or is full, the old one is
 * dropped. (Deleting the oldest entries of one map one by one makes each look walk over what was deleted.)
 */
export class SeenIds {
  private young = new Map<string, number>();
  private old = new Map<string, number>();
  private youngSince = 0;

  constructor(
    private readonly windowMs: number,
    private readonly max: number,
  ) {}

  /** Whether this id came within the window before `now`; remembers it. */
  isRepeated(id: string, now: number): boolean {
    if (this.windowMs === 0) return false;
    const at = this.young.get(id) ?? this.old.get(id);
    if (at !== undefined && now - at < this.windowMs) return true;
    if (now - this.youngSince >= this.windowMs || this.young.size >= this.max / 2) {
      this.old = this.young;
      this.young = new Map();
      this.youngSince = now;
    }
    this.young.set(id, now);
    return false;
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}
