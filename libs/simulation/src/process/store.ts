import type { StoredEvent } from '@cairn/kernel';
import type { AppendResult, EventStore, Tail, TailReader } from '@cairn/ports';
import { appendWithMutant } from './append-with-mutant.js';
import type { Life } from './life.js';
import { readWithMutant } from './read-with-mutant.js';

/** The world's store as one life of a process sees it: everything takes time, and the process may die before and after. */
export function storeOf(life: Life): EventStore {
  const { world } = life;
  const around = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    await life.hop();
    await life.crashPoint(`before ${what}`);
    const outcome = await work().then(
      (value) => ({ value }),
      (fault: unknown) => ({ fault }),
    );
    await life.crashPoint(`after ${what}`);
    await life.hop();
    if ('fault' in outcome) throw outcome.fault;
    return outcome.value;
  };
  const seen = (event: StoredEvent): StoredEvent => readWithMutant(world, life.hasRestarted, event);
  return {
    append: (stream, expected, events) =>
      around(`append to ${stream}`, async () => {
        const result = await appendWithMutant(world, stream, expected, events);
        life.note(`append ${stream}@${expected} ${typesOf(events)}: ${result.kind}`);
        noteOutcome(life, result, events);
        return result;
      }).catch((fault: unknown) => {
        life.note(`append ${stream}@${expected} ${typesOf(events)}: ${fault instanceof Error ? fault.message : ''}`);
        throw fault;
      }),
    read: (stream, from, to) => around(`read of ${stream}`, async () => (await world.store.read(stream, from, to)).map(seen)),
    tail: (types, after, reader) => tailOf(life, types, after, reader),
    newest: () => around('newest', () => world.store.newest()),
    readBookmark: (name) => around(`read of bookmark ${name}`, () => world.store.readBookmark(name)),
    writeBookmark: (name, value) => around(`write of bookmark ${name}`, () => world.store.writeBookmark(name, value)),
    close: async () => undefined, // The store outlives the process.
  };
}

const typesOf = (events: readonly StoredEvent[]): string => events.map(({ type }) => type).join(',');

function noteOutcome({ world }: Life, result: AppendResult, events: readonly StoredEvent[]): void {
  if (result.kind === 'conflict') world.coverage.note('conflict then fold again');
  else world.acknowledged.push(...events);
}

function tailOf(life: Life, types: readonly string[] | 'all', after: string, reader: TailReader): Tail {
  const later = (task: () => void): void => void life.clock.after(life.latency(), task);
  const tail = life.world.store.tail(types, after, {
    deliver: (events) =>
      new Promise((resolve, reject) =>
        later(() => {
          const seen = events.map((tailed) => ({ ...tailed, event: readWithMutant(life.world, life.hasRestarted, tailed.event) }));
          Promise.resolve(reader.deliver(seen)).then(resolve, reject);
        }),
      ),
    ...(reader.caughtUp === undefined ? {} : { caughtUp: () => later(() => reader.caughtUp?.()) }),
    onFault: (fault) => later(() => reader.onFault(fault)),
  });
  life.cut.push(() => void tail.stop());
  return tail;
}
