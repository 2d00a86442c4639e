import { callbackType, signalType } from '@cairn/domain-definition';
import type { StoredTrigger, WaitOpened, WaitTriggered } from '@cairn/domain-run';
import { withoutVersion, type Id, type Instant, type StoredEvent } from '@cairn/kernel';

/** A wait as scheduling serves it. */
export interface OpenWait {
  readonly ns: string;
  readonly runId: Id;
  readonly branch: string;
  readonly waitId: Id;
  readonly step: string;
  /** Event id of its `WaitOpened`: the cause of what its deadline and timers bring about. */
  readonly openedBy: Id;
  readonly openedAt: Instant;
  readonly triggers: readonly StoredTrigger[];
  /** How many triggers must have come. */
  readonly needed: number;
  readonly deadline: Instant | null;
  readonly staleAt: Instant | null;
  readonly lookBack: 'run' | 'none' | number;
  readonly keepOpen: boolean;
  stale: boolean;
  readonly gotTriggers: Set<number>;
  /** Receipts that execution has answered for with regard to this wait: never rung again. Not part of a checkpoint. */
  readonly answered: Set<Id>;
}

type Stored = Omit<OpenWait, 'gotTriggers' | 'answered'> & { readonly gotTriggers: readonly number[] };

/** Stands in the index for a trigger that takes any key: no key is empty. */
const ANY_KEY = '';

/** Type without version and key under which events for this trigger are looked up, or `undefined` for a timer. */
export function placeOf(
  trigger: StoredTrigger,
  { runId, waitId }: Pick<OpenWait, 'runId' | 'waitId'>,
): { readonly type: string; readonly key: string } | undefined {
  switch (trigger.kind) {
    case 'event':
      return { type: withoutVersion(trigger.type), key: trigger.key ?? ANY_KEY };
    case 'signal':
      return { type: withoutVersion(signalType(trigger.name)), key: runId };
    case 'callback':
      return { type: withoutVersion(callbackType(trigger.name)), key: waitId };
    case 'timer':
      return undefined;
  }
}

/** All waits that are open now, found by id, by run and by what they wait for. */
export class OpenWaits {
  private readonly byId = new Map<Id, OpenWait>();
  private readonly byRun = new Map<Id, Set<OpenWait>>();
  private readonly byPlace = new Map<string, Map<string, Set<OpenWait>>>();

  get(waitId: Id): OpenWait | undefined {
    return this.byId.get(waitId);
  }

  all(): IterableIterator<OpenWait> {
    return this.byId.values();
  }

  ofRun(runId: Id): Iterable<OpenWait> {
    return this.byRun.get(runId) ?? [];
  }

  /** Waits with a trigger for this type and key, those with triggers for any key among them. */
  wanting(ns: string, type: string, key: string | undefined): OpenWait[] {
    const keys = this.byPlace.get(`${ns} ${withoutVersion(type)}`);
    if (keys === undefined) return [];
    const waits = new Set(keys.get(ANY_KEY));
    if (key !== undefined) for (const wait of keys.get(key) ?? []) waits.add(wait);
    return [...waits];
  }

  /** Every wait with a trigger for this type, whatever its key. */
  *ofType(ns: string, type: string): Iterable<OpenWait> {
    for (const waits of this.byPlace.get(`${ns} ${withoutVersion(type)}`)?.values() ?? []) yield* waits;
  }

  open(event: StoredEvent): OpenWait {
    const data = event.data as unknown as WaitOpened['data'];
    const before = this.byId.get(data.waitId); // An opening under a known id keeps the triggers collected.
    this.close(data.waitId);
    return this.add({
      ns: event.metadata.ns,
      runId: event.metadata.runId ?? '',
      branch: event.metadata.branch ?? 'main',
      waitId: data.waitId,
      step: data.step,
      openedBy: event.eventId,
      openedAt: event.at,
      triggers: data.triggers,
      needed: data.mode === 'any' ? 1 : data.mode === 'all' ? data.triggers.length : data.k,
      deadline: data.deadline,
      staleAt: data.staleAt,
      lookBack: data.lookBack,
      keepOpen: data.keepOpen,
      stale: false,
      gotTriggers: [...(before?.gotTriggers ?? [])],
    });
  }

  triggered(data: WaitTriggered['data']): void {
    const wait = this.byId.get(data.waitId);
    wait?.gotTriggers.add(data.trigger);
    wait?.answered.add(data.eventId);
  }

  close(waitId: Id): void {
    const wait = this.byId.get(waitId);
    if (wait === undefined) return;
    this.byId.delete(waitId);
    removeFrom(this.byRun, wait.runId, wait);
    for (const [place, key] of placesOf(wait)) {
      const keys = this.byPlace.get(place);
      if (keys === undefined) continue;
      removeFrom(keys, key, wait);
      if (keys.size === 0) this.byPlace.delete(place);
    }
  }

  closeRun(runId: Id): void {
    for (const wait of [...this.ofRun(runId)]) this.close(wait.waitId);
  }

  clear(): void {
    this.byId.clear();
    this.byRun.clear();
    this.byPlace.clear();
  }

  /** As the history has them: what execution has answered meanwhile is left out. */
  *entries(): Iterable<readonly [Id, Omit<OpenWait, 'answered'>]> {
    for (const { answered: _, ...wait } of this.byId.values()) yield [wait.waitId, wait];
  }

  /** Back from an entry whose sets are lists. */
  restore(stored: unknown): void {
    this.add(stored as Stored);
  }

  private add(stored: Stored): OpenWait {
    const wait: OpenWait = { ...stored, gotTriggers: new Set(stored.gotTriggers), answered: new Set() };
    this.byId.set(wait.waitId, wait);
    addTo(this.byRun, wait.runId, wait);
    for (const [place, key] of placesOf(wait)) {
      let keys = this.byPlace.get(place);
      if (keys === undefined) this.byPlace.set(place, (keys = new Map()));
      addTo(keys, key, wait);
    }
    return wait;
  }
}

function placesOf({ ns, runId, waitId, triggers }: OpenWait): [place: string, key: string][] {
  return triggers.flatMap((trigger) => {
    const place = placeOf(trigger, { runId, waitId });
    return place === undefined ? [] : [[`${ns} ${place.type}`, place.key] satisfies [string, string]];
  });
}

function addTo(index: Map<string, Set<OpenWait>>, key: string, wait: OpenWait): void {
  const waits = index.get(key);
  if (waits === undefined) index.set(key, new Set([wait]));
  else waits.add(wait);
}

function removeFrom(index: Map<string, Set<OpenWait>>, key: string, wait: OpenWait): void {
  const waits = index.get(key);
  waits?.delete(wait);
  if (waits?.size === 0) index.delete(key);
}
