import { connectNats } from '@cairn/bus-jetstream';
import { systemClock, systemRandomness } from '@cairn/system';

type Connection = Awaited<ReturnType<typeof connectNats>>;

/** Marks a message that was made by this kit, so that it is not taken for one of the product's again. */
const COPY = 'chaos-copy';
const API_MS = 5_000;

/** A stranger on the bus, who may do anything: what a case does to messages, streams and consumers. */
export class RawBus {
  private constructor(readonly connection: Connection) {}

  static async connect(url: string): Promise<RawBus> {
    return new RawBus(await connectNats({ servers: url, name: 'chaos', clock: systemClock, randomness: systemRandomness }));
  }

  /** A call of the JetStream API. Throws what the server refuses. */
  async api<T>(subject: string, body: object = {}): Promise<T> {
    const answer = (await this.connection.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: API_MS })).json<
      T & { error?: object }
    >();
    if (answer.error !== undefined) throw new Error(`${subject}: ${JSON.stringify(answer.error)}`);
    return answer;
  }

  purge(busStream: string): Promise<unknown> {
    return this.api(`STREAM.PURGE.${busStream}`);
  }

  deleteConsumer(busStream: string, durable: string): Promise<unknown> {
    return this.api(`CONSUMER.DELETE.${busStream}.${durable}`);
  }

  /** Messages of a bus stream that were given to a consumer and are not settled. */
  async ackPending(busStream: string): Promise<number> {
    const { consumers } = await this.api<{ consumers: readonly { num_ack_pending: number }[] | null }>(`CONSUMER.LIST.${busStream}`);
    return (consumers ?? []).reduce((sum, { num_ack_pending }) => sum + num_ack_pending, 0);
  }

  /** Publishes each message of these subjects again, so many times, each time after a pause of its own. Gives how to end that. */
  repeat(subjects: readonly string[], times: number, pauseMs: () => number): () => void {
    const subscriptions = subjects.map((subject) =>
      this.connection.subscribe(subject, {
        callback: (error, message) => {
          const { headers, subject, data } = message;
          if (error !== null || headers === undefined || headers.has(COPY)) return;
          headers.set(COPY, '1');
          if (!headers.has('Cairn-Message-Id')) headers.set('Cairn-Message-Id', headers.get('Nats-Msg-Id')); // It stays the same message.
          headers.delete('Nats-Msg-Id'); // Else the server would swallow it.
          const again = (): void => {
            if (!this.connection.isClosed()) this.connection.publish(subject, data, { headers });
          };
          for (let i = 0; i < times; i++) setTimeout(again, pauseMs()).unref(); // The last ones may come after the case.
        },
      }),
    );
    return () => subscriptions.forEach((subscription) => subscription.unsubscribe());
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
