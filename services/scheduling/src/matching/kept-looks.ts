import type { ReceiptLine } from '@cairn/domain-schedule';
import { withinLookBack } from '@cairn/domain-schedule';
import { instantOf, type Id } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import type { KeptEvent } from '../working-set/kept-events.js';
import { placeOf, type OpenWait } from '../working-set/open-waits.js';
import type { RunBeginning, SchedulingSet } from '../working-set/scheduling-set.js';
import type { Inbound } from './inbound.js';
import { matchWait, type Waker } from './wakes.js';

export interface KeptLookParts {
  readonly clock: Clock;
  readonly set: SchedulingSet;
  readonly waker: Waker;
  /** The accepted event of a receipt, with its data. */
  readonly load: (ns: string, receiptId: Id) => Promise<Inbound | undefined>;
  readonly tell: (ns: string, receiptId: Id, lines: readonly ReceiptLine[]) => Promise<unknown>;
  /** How a run began that had ended, and goes on. */
  readonly beganOf: (runId: Id) => Promise<RunBeginning | undefined>;
}

/**
 * Gives waits the events that came before them: whichever of `WaitOpened` and `EventKept` is later finds the earlier one. A look
 * that met a fault stays noted, and the sweep makes it again.
 */
export class KeptLooks {
  private readonly noted = new Set<Id>();
  private readonly underWay = new Set<Id>();

  constructor(private readonly parts: KeptLookParts) {}

  /** To be looked at: by `lookAll`. */
  note(wait: OpenWait): void {
    this.noted.add(wait.waitId);
  }

  waiting(): readonly Id[] {
    return [...this.noted];
  }

  /** Offers the wait what is kept for it, oldest first, until it has enough. Throws faults. */
  async look(waitId: Id): Promise<void> {
    if (this.underWay.has(waitId)) return; // Noted again meanwhile: the loop below sees it.
    this.underWay.add(waitId);
    try {
      while (this.noted.delete(waitId)) {
        try {
          await this.lookOnce(waitId);
        } catch (fault) {
          this.noted.add(waitId);
          throw fault;
        }
      }
    } finally {
      this.underWay.delete(waitId);
    }
  }

  private async lookOnce(waitId: Id): Promise<void> {
    const wait = this.parts.set.waits.get(waitId);
    if (wait === undefined) return;
    for (const kept of await this.candidates(wait)) {
      if (this.parts.set.waits.get(waitId) !== wait || hasEnough(wait)) return;
      await this.offer(wait, kept);
    }
  }

  private async candidates(wait: OpenWait): Promise<KeptEvent[]> {
    const { set, clock, beganOf } = this.parts;
    const run = set.runs.get(wait.runId);
    const began = run === undefined ? undefined : (run.began ?? (await beganOf(wait.runId)));
    if (began === undefined) return [];
    const now = instantOf(clock.now());
    const instants = { openedAt: wait.openedAt, startReceivedAt: began.startedAt };
    const found = new Map<Id, KeptEvent>();
    for (const trigger of wait.triggers) {
      const place = placeOf(trigger, wait);
      if (place === undefined) continue;
      for (const kept of set.kept.find(wait.ns, place.type, place.key === '' ? undefined : place.key)) {
        const wanted = kept.receiptId !== began.causedBy && !wait.answered.has(kept.receiptId) && kept.until > now;
        if (wanted && withinLookBack(wait.lookBack, kept.receivedAt, instants)) found.set(kept.receiptId, kept);
      }
    }
    return [...found.values()].sort((a, b) => (a.receivedAt < b.receivedAt ? -1 : a.receivedAt > b.receivedAt ? 1 : 0));
  }

  private async offer(wait: OpenWait, kept: KeptEvent): Promise<void> {
    const { waker, load, tell } = this.parts;
    const inbound = await load(kept.ns, kept.receiptId);
    const match = inbound === undefined ? {} : matchWait(wait, inbound);
    if (inbound === undefined || !('trigger' in match)) {
      wait.answered.add(kept.receiptId);
      return;
    }
    const result = await waker.wake(wait, match.trigger, inbound, kept.receivedAt < wait.openedAt);
    // That it woke the run is told when the run's history says so: a crash between the two loses nothing.
    if (result.kind === 'near') await tell(kept.ns, kept.receiptId, [{ outcome: 'near_miss', runs: [], nearMisses: [result.miss] }]);
  }
}

const hasEnough = (wait: OpenWait): boolean => !wait.keepOpen && wait.gotTriggers.size >= wait.needed;
