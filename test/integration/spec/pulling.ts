import { createInbox } from '@nats-io/nats-core';
import { consumers } from '@cairn/contracts';
import type { ConsumerSpec } from '@cairn/ports';
import type { Connection } from './nats.js';

export interface Pulling {
  stop(): Promise<void>;
}

/** Asks for messages of every consumer as a service does, and takes none of them: enough for the server to say that somebody is there. */
export function pullFor(connection: Connection, specs: readonly ConsumerSpec[] = consumers): Pulling {
  const inbox = createInbox();
  connection.subscribe(inbox);
  for (const { busStream, durable, prioritized } of specs) {
    const request = { batch: 1, expires: 60e9, ...(prioritized === true ? { group: 'ranked', priority: 0 } : {}) };
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${busStream}.${durable}`, JSON.stringify(request), { reply: inbox });
  }
  return { stop: () => connection.close() };
}
