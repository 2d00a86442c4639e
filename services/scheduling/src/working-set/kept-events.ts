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

/** Kept events by namespace, type without version and key; each list oldest first, at most `KEPT_MAX` long. */
export class KeptEvents {
  private readonly byType = new Map<string, Map<string, KeptEvent[]>>();

  keep(event: StoredEvent): KeptEvent {
    const { receiptId, type, key, receivedAt, until } = event.data as unknown as EventKept['data'];
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

  /** Forgets what is kept no longer. */
  expire(now: Instant): void {
    for (const [type, keys] of this.byType) {
      for (const [key, list] of keys) {
        const rest = list.filter(({ until }) => until > now);
        if (rest.length === 0) keys.delete(key);
        else if (rest.length < list.length) keys.set(key, rest);
      }
      if (keys.size === 0) this.byType.delete(type);
    }
  }

  clear(): void {
    this.byType.clear();
  }

  toJson(): unknown {
    return [...this.byType.values()].flatMap((keys) => [...keys.values()].flat());
  }

  fromJson(json: unknown): void {
    this.clear();
    for (const kept of json as readonly KeptEvent[]) this.add(kept);
  }

  private add(kept: KeptEvent): void {
    const place = `${kept.ns} ${withoutVersion(kept.type)}`;
    let keys = this.byType.get(place);
    if (keys === undefined) this.byType.set(place, (keys = new Map()));
    const list = (keys.get(kept.key) ?? []).filter(({ receiptId }) => receiptId !== kept.receiptId);
    list.push(kept);
    keys.set(kept.key, list.length > KEPT_MAX ? list.slice(-KEPT_MAX) : list);
  }
}
