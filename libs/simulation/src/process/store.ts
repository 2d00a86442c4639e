import type { StoredEvent } from '@cairn/kernel';
import { StoreFault, type AppendResult, type EventStore, type Tail, type TailReader } from '@cairn/ports';
import { appendWithMutant } from './append-with-mutant.js';
import type { AppendInFlight, Life } from './life.js';
import { readWithMutant } from './read-with-mutant.js';

/** How long the adapter of a store waits for an answer (W-6). */
const STORE_DEADLINE_MS = 5_000;
/** Of the appends whose stream breaks before they arrive, the share that never does. */
const REQUEST_LOST = 0.5;

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
  const appended: EventStore['append'] = async (stream, expected, events) => {
    const own: AppendInFlight = { isBroken: false };
    life.appendsInFlight.add(own);
    const lost = (): StoreFault => new StoreFault('append_unknown', `append to ${stream}: an error on the stream of appends`);
    try {
      const result = await around(`append to ${stream}`, async () => {
        breakPerhaps(life);
        if (own.isBroken && life.strikes(REQUEST_LOST)) throw lost();
        const result = await withDeadline(life, appendWithMutant(world, stream, expected, events), (gaveUp) => {
          gaveUp.then(
            ({ kind }) => kind === 'appended' && world.coverage.note('append stored after a freeze'),
            () => undefined,
          );
          return new StoreFault('append_unknown', `append to ${stream}: no answer within ${STORE_DEADLINE_MS} ms`);
        });
        life.note(`append ${stream}@${expected} ${typesOf(events)}: ${result.kind}`);
        return result;
      });
      if (own.isBroken) throw lost();
      noteOutcome(life, result, events);
      return result;
    } catch (fault) {
      life.note(`append ${stream}@${expected} ${typesOf(events)}: ${fault instanceof Error ? fault.message : ''}`);
      throw fault;
    } finally {
      life.appendsInFlight.delete(own);
    }
  };
  const answered = <T>(what: string, work: () => Promise<T>): Promise<T> =>
    around(what, () => {
      const late = (): StoreFault => new StoreFault('store_unavailable', `${what}: no answer within ${STORE_DEADLINE_MS} ms`);
      return withDeadline(life, work(), late);
    });
  const seen = (event: StoredEvent): StoredEvent => readWithMutant(world, life.hasRestarted, event);
  return {
    append: appended,
    read: (stream, from, to) => answered(`read of ${stream}`, async () => (await world.store.read(stream, from, to)).map(seen)),
    tail: (types, after, reader) => tailOf(life, types, after, reader),
    newest: () => answered('newest', () => world.store.newest()),
    readBookmark: (name) => answered(`read of bookmark ${name}`, () => world.store.readBookmark(name)),
    writeBookmark: (name, value) => answered(`write of bookmark ${name}`, () => world.store.writeBookmark(name, value)),
    close: async () => undefined, // The store outlives the process.
  };
}

/** One error on the stream that all appends of a process share: none of them is answered any more (T-16). */
function breakPerhaps(life: Life): void {
  if (!life.strikes(life.world.swarm.store.appendStreamBreaks)) return;
  life.world.coverage.note('append stream broke');
  life.note(`the stream of appends breaks: ${life.appendsInFlight.size} in flight`);
  for (const one of life.appendsInFlight) one.isBroken = true;
}

/** A frozen store answers when it goes on: whoever waited for it has given up by then. `late` is told what is still coming. */
function withDeadline<T>(life: Life, work: Promise<T>, late: (work: Promise<T>) => StoreFault): Promise<T> {
  if (!life.world.store.isFrozen) return work;
  return new Promise((resolve, reject) => {
    const timer = life.clock.after(STORE_DEADLINE_MS, () => reject(late(work)));
    work.then(resolve, reject).finally(() => timer.cancel());
  });
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
