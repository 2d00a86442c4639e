import { parseRunStream, type Id, type StoredEvent } from '@cairn/kernel';
import { collectHistory, defaultLimits, printViolation, verifyRun } from '@cairn/oracle';
import { eventStoreIn, eventStoreNamed, openEventStore, type OpenedEventStore } from '@cairn/nest-kit/event-store';
import type { EventStore, Tail } from '@cairn/ports';
import { systemClock, systemRandomness } from '@cairn/system';
import type { LedgerLine } from '@cairn/testkit';

/** How a run came to rest. `stands`: a policy has said that a person must decide. */
export interface End {
  readonly type: 'RunCompleted' | 'RunFailed' | 'RunGaveUp' | 'RunCancelled' | 'stands';
  readonly output?: unknown;
  /** Nobody knows whether an effect of it happened that may not be repeated. */
  readonly effectUnknown: boolean;
}

const WATCHED = ['RunCompleted', 'RunFailed', 'RunGaveUp', 'RunCancelled', 'EffectUnknown', 'RetryDecided'];

/** The histories themselves, followed and read beside all services. */
export class Histories {
  readonly ends = new Map<Id, End>();
  private readonly inDoubt = new Set<Id>();
  private readonly tail: Tail;
  private fault: unknown;

  private constructor(private readonly opened: OpenedEventStore) {
    this.tail = opened.store.tail(WATCHED, 'start', {
      deliver: (events) => events.forEach(({ event }) => this.fold(event)),
      onFault: (fault) => (this.fault = fault),
    });
  }

  /** Of a data folder, or of the store that is named. */
  static async open(data: string, named?: string): Promise<Histories> {
    const name = named === undefined ? eventStoreIn(data) : eventStoreNamed(named);
    return new Histories(await openEventStore(name, data, { clock: systemClock, randomness: systemRandomness }));
  }

  get store(): EventStore {
    return this.opened.store;
  }

  /** Whether the run has come to rest. Throws what ended the following. */
  hasEnded(runId: Id): boolean {
    if (this.fault !== undefined) throw new Error('the store cannot be followed', { cause: this.fault });
    return this.ends.has(runId);
  }

  of(runId: Id): Promise<readonly StoredEvent[]> {
    return this.store.read(`run-${runId}+main`);
  }

  /** Whatever the oracle has to say of these runs, one line a violation; a run that was accepted and is not there is one (E-1). */
  async violations(runIds: Iterable<Id>, when: 'live' | 'quiescent'): Promise<readonly string[]> {
    const found: string[] = [];
    for (const runId of runIds) {
      const history = await collectHistory(this.store, runId);
      if (history === undefined) found.push(`E-1 run=${runId} was accepted and is not there`);
      else
        for (const violation of verifyRun({ ...history, readAt: Date.now() }, defaultLimits, when))
          found.push(printViolation(runId, violation));
    }
    return found;
  }

  /**
   * E-2: at most one effect a key at a target that honours keys, and exactly one for each that a history confirms; at most one request for
   * an effect that may not be repeated, whose keys begin with `once`.
   */
  async effectFaults(runIds: Iterable<Id>, ledger: readonly LedgerLine[]): Promise<readonly string[]> {
    const effects = countOf(ledger, 'effect');
    const found = [...effects].filter(([, n]) => n > 1).map(([key, n]) => `E-2 key=${key} happened ${n} times`);
    for (const [key, n] of countOf(ledger, 'request'))
      if (key.startsWith('once') && n > 1) found.push(`E-2 key=${key} was asked for ${n} times`);
    for (const runId of runIds)
      for (const { type, data } of await this.of(runId)) {
        const n = type === 'EffectConfirmed' ? (effects.get(String(data['key'])) ?? 0) : 1;
        if (n !== 1) found.push(`E-2 run=${runId} key=${String(data['key'])} is confirmed and happened ${n} times`);
      }
    return found;
  }

  async close(): Promise<void> {
    await this.tail.stop();
    await this.opened.close();
  }

  private fold({ stream, type, data }: StoredEvent): void {
    const runId = parseRunStream(stream)?.runId;
    if (runId === undefined) return;
    if (type === 'EffectUnknown') this.inDoubt.add(runId);
    const effectUnknown = this.inDoubt.has(runId);
    if (type === 'RetryDecided') {
      if (data['decision'] === 'block' || data['decision'] === 'escalate') this.ends.set(runId, { type: 'stands', effectUnknown });
    } else if (type !== 'EffectUnknown') this.ends.set(runId, { type: type as End['type'], output: data['output'], effectUnknown });
  }
}

function countOf(ledger: readonly LedgerLine[], wanted: LedgerLine['kind']): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { kind, key } of ledger) if (kind === wanted) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
