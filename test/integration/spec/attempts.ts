import type { Connection } from './nats.js';

/** One user's attempts, judged by the server: the refusal of an act comes before the answer to the ping behind it. */
export interface Attempts {
  publish(subject: string): Promise<boolean>;
  subscribe(subject: string, queue?: string): Promise<boolean>;
}

export function attempts(connection: Connection): Attempts {
  let violations = 0;
  const statuses = connection.status();
  void (async () => {
    for await (const status of statuses) if (status.type === 'error' && /permissions violation/i.test(status.error.message)) violations++;
  })();
  const allowed = async (act: () => void): Promise<boolean> => {
    const before = violations;
    act();
    await connection.flush();
    await new Promise(setImmediate);
    return violations === before;
  };
  return {
    // Not JSON and of no use to anybody: what may be published does nothing.
    publish: (subject) => allowed(() => connection.publish(subject, 'an attempt')),
    subscribe: async (subject, queue) => {
      let refused = false;
      const callback = (error: Error | null): void => void (refused ||= error !== null);
      const subscription = connection.subscribe(subject, { callback, ...(queue === undefined ? {} : { queue }) });
      const may = await allowed(() => undefined);
      subscription.unsubscribe();
      return may && !refused;
    },
  };
}
