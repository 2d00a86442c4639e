import { invariant, type ExpectedRevision, type Revision, type StoredEvent, type StreamName } from '@cairn/kernel';
import {
  checkAppend,
  StoreFault,
  type AppendResult,
  type EventStore,
  type Position,
  type Tail,
  type TailedEvent,
  type TailReader,
} from '@cairn/ports';
import type { StoreFaults } from './faults.js';
import { MemoryTail, type TailSource } from './memory-tail.js';

/** The port, and what only the owner of the world may see or do: an oracle reads all of it, a simulation takes it away for a while. */
export interface MemoryEventStore extends EventStore {
  /** Every stream's events, in the order in which the streams began. */
  allStreams(): ReadonlyMap<StreamName, readonly StoredEvent[]>;
  /** Every event, in commit order. */
  allEvents(): readonly StoredEvent[];
  /** From now on everything but tails throws `store_unavailable`, and tails wait, until it ends. */
  setOutage(away: boolean): void;
  /** From now on every call hangs, and tails wait; when it ends, what was called is carried out in its order, whoever still waits for it. */
  setFrozen(frozen: boolean): void;
  readonly isFrozen: boolean;
}

/**
 * An event store in this process's memory, deterministic: no timer, clock or entropy. It outlives the actors that use it, which is
 * how a simulated process crashes and finds its data again.
 */
export function createMemoryEventStore(options: { readonly faults?: StoreFaults } = {}): MemoryEventStore {
  return new EventStoreInMemory(options.faults ?? {});
}

class EventStoreInMemory implements MemoryEventStore {
  private readonly streams = new Map<StreamName, StoredEvent[]>();
  private readonly log: TailedEvent[] = [];
  private readonly bookmarks = new Map<string, string>();
  private readonly tails = new Set<MemoryTail>();
  private readonly source: TailSource;
  private outage: Interruption | undefined;
  private freeze: Interruption | undefined;
  private closed = false;

  constructor(private readonly faults: StoreFaults) {
    this.source = {
      log: this.log,
      away: () => (this.outage ?? this.freeze)?.over,
      fault: () => this.faults.tail?.(),
      forget: (tail) => this.tails.delete(tail),
    };
  }

  async append(stream: StreamName, expected: ExpectedRevision, events: readonly StoredEvent[]): Promise<AppendResult> {
    checkAppend(stream, expected, events);
    await this.reached();
    const fault = this.faults.append?.(stream, events);
    switch (fault?.kind) {
      case undefined:
        return this.store(stream, expected, events);
      case 'fails':
        throw new StoreFault('store_unavailable', `append to ${stream}: refused by the fault plan`);
      case 'stored_then_unknown':
        this.store(stream, expected, events);
        break;
      case 'stored_later':
        fault.defer(() => void this.store(stream, expected, events));
        break;
      case 'lost_then_unknown':
        break;
    }
    throw new StoreFault('append_unknown', `append to ${stream}: no answer`);
  }

  /** EventStoreDB's rule (`CheckCommit`): at an old revision the ids that stand there decide, and ids alone. */
  private store(stream: StreamName, expected: ExpectedRevision, events: readonly StoredEvent[]): AppendResult {
    const present = this.streams.get(stream);
    const head = present === undefined ? -1 : present.length - 1;
    const after = expected === 'no_stream' ? -1 : expected;
    const revision = after + events.length;
    if (after !== head) {
      const repeated = after < head && events.every(({ eventId }, i) => present?.[after + 1 + i]?.eventId === eventId);
      return repeated ? { kind: 'appended', revision } : { kind: 'conflict', actual: head < 0 ? 'no_stream' : head };
    }
    if (present === undefined) this.streams.set(stream, [...events]);
    else present.push(...events);
    for (const event of events) this.log.push({ event, position: String(this.log.length + 1) });
    for (const tail of this.tails) tail.wake();
    return { kind: 'appended', revision };
  }

  async read(stream: StreamName, from: Revision = 0, to: Revision = Number.MAX_SAFE_INTEGER): Promise<readonly StoredEvent[]> {
    await this.reached();
    if (this.faults.read?.(stream) === true) throw new StoreFault('store_unavailable', `read of ${stream}: refused by the fault plan`);
    return this.streams.get(stream)?.slice(from, to + 1) ?? [];
  }

  tail(types: readonly string[] | 'all', after: Position | 'start', reader: TailReader): Tail {
    const position = after === 'start' ? 0 : Number(after);
    invariant(Number.isSafeInteger(position) && position >= 0, `tail after ${after}: not a position of this store`);
    const tail = new MemoryTail(this.source, types === 'all' ? undefined : new Set(types), position, reader);
    if (this.closed) void tail.stop().then(() => reader.onFault(closedFault()));
    else this.tails.add(tail);
    return tail;
  }

  async newest(): Promise<Position | undefined> {
    await this.reached();
    return this.log.at(-1)?.position;
  }

  async readBookmark(name: string): Promise<string | undefined> {
    await this.reached();
    return this.bookmarks.get(name);
  }

  async writeBookmark(name: string, value: string): Promise<void> {
    await this.reached();
    this.bookmarks.set(name, value);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.tails].map((tail) => tail.stop()));
  }

  allStreams(): ReadonlyMap<StreamName, readonly StoredEvent[]> {
    return this.streams;
  }

  allEvents(): readonly StoredEvent[] {
    return this.log.map(({ event }) => event);
  }

  setOutage(away: boolean): void {
    if (away === (this.outage !== undefined)) return;
    this.outage?.end();
    this.outage = away ? interruption() : undefined;
  }

  setFrozen(frozen: boolean): void {
    if (frozen === this.isFrozen) return;
    this.freeze?.end();
    this.freeze = frozen ? interruption() : undefined;
  }

  get isFrozen(): boolean {
    return this.freeze !== undefined;
  }

  private async reached(): Promise<void> {
    this.mustBeThere();
    if (this.freeze === undefined) return;
    await this.freeze.over;
    this.mustBeThere();
  }

  private mustBeThere(): void {
    if (this.closed) throw closedFault();
    if (this.outage !== undefined) throw new StoreFault('store_unavailable', 'the event store is away');
  }
}

function closedFault(): StoreFault {
  return new StoreFault('store_unavailable', 'the event store is closed');
}

interface Interruption {
  readonly over: Promise<void>;
  readonly end: () => void;
}

function interruption(): Interruption {
  let end = (): void => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  return { over, end };
}
