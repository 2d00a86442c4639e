import type { FoldReport } from './fold-report.js';

/** Something that is folded from the history and disposable: the history gives it again. */
export interface Rebuildable {
  /** Unique within its service. */
  readonly fold: string;
  /**
   * Drops what was put away of it, folds it anew from the store's first event beside the live one, and compares both at the same
   * position. Where they differ the new one takes over. Never throws: what went wrong is in the report.
   */
  rebuild(): Promise<FoldReport>;
}

/** A fold with the service that owns it. */
export interface OwnedFold extends Rebuildable {
  readonly service: string;
}

/** Every fold of one process. Services put theirs in as they are assembled; whoever rebuilds reads it. */
export class Folds {
  private readonly owned: OwnedFold[] = [];

  add(service: string, folds: readonly Rebuildable[]): void {
    for (const { fold, rebuild } of folds.map((one) => ({ fold: one.fold, rebuild: () => one.rebuild() })))
      this.owned.push({ service, fold, rebuild });
  }

  all(): readonly OwnedFold[] {
    return this.owned;
  }
}
