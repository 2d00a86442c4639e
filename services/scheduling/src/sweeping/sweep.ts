import { isFault, type Metrics } from '@cairn/ports';
import { inParallel } from '@cairn/application';
import type { Intake } from '../intake/intake.js';
import type { ReceiptBook } from '../intake/receipt-book.js';
import type { KeptLooks } from '../matching/kept-looks.js';
import type { LateDefinitions } from '../matching/late-definitions.js';
import type { Mutants } from '../mutants.js';
import type { SchedulingSet } from '../working-set/scheduling-set.js';
import type { DueTimes } from './due-times.js';

export interface SweepParts {
  readonly metrics: Metrics;
  readonly set: SchedulingSet;
  readonly intake: Intake;
  readonly book: ReceiptBook;
  readonly looks: KeptLooks;
  readonly lateDefinitions: LateDefinitions;
  readonly dueTimes: DueTimes;
  readonly mutants: Mutants;
}

/** What scheduling must not forget, walked from the working set: whatever lost its bell is rung again here. */
export class Sweep {
  constructor(private readonly parts: SweepParts) {}

  async walk(): Promise<void> {
    this.parts.set.kept.expire();
    await this.finishReceipts();
    await this.takeEmissions();
    await this.tellWakes();
    await this.ringWaits();
    await this.startFromKept();
  }

  /** Receipts without an outcome, and with them the starts and wakes that did not happen. */
  private async finishReceipts(): Promise<void> {
    const { set, intake } = this.parts;
    await this.each(set.receipts.unsettled(), ([receiptId, { ns }]) => intake.finish(ns, receiptId));
  }

  /** What runs told the world and nobody took in. The relay's message is the quicker way. */
  private async takeEmissions(): Promise<void> {
    const { set, intake } = this.parts;
    await this.each(
      [...set.emissions].filter(([receiptId]) => !intake.isInHand(receiptId)),
      ([, emission]) => intake.takeEmission(emission),
    );
  }

  /** Wakes that stand in a run's history and not on the receipt. */
  async tellWakes(): Promise<void> {
    const { set, book, intake } = this.parts;
    const untold = [...set.untold.values()].filter(({ receiptId }) => !intake.isInHand(receiptId));
    await this.each(untold, async ({ ns, receiptId, run }) => {
      await book.settle(ns, receiptId, [{ outcome: 'woke', runs: [run], nearMisses: [] }]);
    });
  }

  async startFromKept(): Promise<void> {
    const { lateDefinitions } = this.parts;
    await this.each(lateDefinitions.waiting(), (definition) => lateDefinitions.startFromKept(definition));
  }

  async lookForKept(): Promise<void> {
    const { looks } = this.parts;
    await this.each(looks.waiting(), (waitId) => looks.look(waitId));
  }

  /** Due times, and kept events that a wait wants. */
  private async ringWaits(): Promise<void> {
    const { dueTimes, mutants } = this.parts;
    if (mutants.has('M-8')) return; // M-8: what waits is not walked.
    dueTimes.derive();
    await this.lookForKept();
  }

  /** One item's fault keeps no other from its turn; the next walk comes back to it. */
  private async each<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
    if (items.length === 0) return;
    await inParallel(items, async (item) => {
      try {
        await task(item);
      } catch (error) {
        this.parts.metrics.count('cairn_sweep_errors_total', { service: 'scheduling', kind: isFault(error) ? 'fault' : 'bug' });
      }
    });
  }
}
