import { KEPT_MAX, type EventKept } from '@cairn/domain-schedule';
import { withoutVersion, type Id, type Instant, type StoredEvent } from '@cairn/kernel';

/** An event that is kept for whoever waits later. Its body stays in its receipt. */
export interface KeptEvent {
  readonly ns: string;
  readonly receiptId: Id;
  readonly type: string;
  readonly key: string;
  readonly receivedAt: Instant;
  readonly until: Instant;
}

/**
 * Kept events by namespace, type without version and key; each list oldest first, at most `KEPT_MAX` long. What is kept no longer is
 * forgotten by the history's own time, the latest at which an event was kept: by a clock two folds of one history would differ. So
 * who asks gets what has just run out, too, and looks at `until`.
 */
export class KeptEvents {
  private horizon: Instant = '';
  private readonly byType = new Map<string, Map<string, KeptEvent[]>>();

  keep(event: StoredEvent): KeptEvent {
    const { receiptId, type, key, receivedAt, until } = event.data as unknown as EventKept['data'];
    if (event.at > this.horizon) this.horizon = event.at;
    const kept: KeptEvent = { ns: event.metadata.ns, receiptId, type, key, receivedAt, until };
    this.add(kept);
    return kept;
  }

  /** Oldest first. `key` undefined: of any key. */
  find(ns: string, type: string, key: string | undefined): readonly KeptEvent[] {
    const keys = this.byType.get(`${ns} ${withoutVersion(type)}`);
    if (keys === undefined) return [];
    if (key !== undefined) return keys.get(key) ?? [];
    return [...keys.values()].flat().sort((a, b) => (a.receivedAt < b.receivedAt ? -1 : a.receivedAt > b.receivedAt ? 1 : 0));
  }

  /** Lets go of what is kept no longer. That of one type and key goes with the next that is kept; this is for the others. */
  expire(): void {
    for (const [type, keys] of this.byType) {
      for (const [key, list] of keys) {
        const rest = this.still(list);
        if (rest.length === 0) keys.delete(key);
        else if (rest.length < list.length) keys.set(key, rest);
      }
      if (keys.size === 0) this.byType.delete(type);
    }
  }

  clear(): void {
    this.byType.clear();
    this.horizon = '';
  }

  /** One entry a type and key, and one for the time that the history has reached. */
  *entries(): Iterable<readonly [kind: 'kept' | 'kept until', key: string, value: unknown]> {
    if (this.horizon !== '') yield ['kept until', '', this.horizon];
    for (const [place, keys] of this.byType) {
      for (const [key, list] of keys) {
        const still = this.still(list);
        if (still.length > 0) yield ['kept', `${place} ${key}`, still];
      }
    }
  }

  restore(entries: readonly (readonly KeptEvent[])[], horizon: Instant): void {
    this.clear();
    this.horizon = horizon;
    for (const list of entries) for (const kept of list) this.add(kept);
  }

  private still(list: readonly KeptEvent[]): KeptEvent[] {
    return list.filter(({ until }) => until > this.horizon);
  }

  private add(kept: KeptEvent): void {
    const place = `${kept.ns} ${withoutVersion(kept.type)}`;
    let keys = this.byType.get(place);
    if (keys === undefined) this.byType.set(place, (keys = new Map()));
    const others = (keys.get(kept.key) ?? []).filter(({ receiptId }) => receiptId !== kept.receiptId);
    keys.set(kept.key, this.still([...others, kept]).slice(-KEPT_MAX));
  }
}
