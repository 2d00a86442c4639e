import { BACKWARDS, END, FORWARDS, START, type ResolvedEvent, type StreamingRead } from '@eventstore/db-client';
import type { Timer } from '@cairn/ports';
import type { Client, ClientHolder } from './client.js';
import { CALL_DEADLINE_MS } from './deadline.js';
import { isNotFound, unavailable } from './errors.js';
import type { Recorded } from './event-codec.js';
import type { LogPosition } from './position.js';

/** A recorded event with its place in the log, as every server since 21.10 tells it. */
export interface LogRecord extends Recorded {
  readonly position: LogPosition;
}

/** All reads. Each asks the leader, since a follower may be behind, and fails when nothing has come for the deadline of a call. */
export class Reading {
  constructor(private readonly holder: ClientHolder) {}

  /** A stream's events from a revision on, at most so many; empty if there is no such stream. */
  stream(name: string, from: number, count: number): Promise<Recorded[]> {
    const options = {
      fromRevision: from === 0 ? START : BigInt(from),
      maxCount: count,
      direction: FORWARDS,
      requiresLeader: true,
    } as const;
    return this.collect(`read of ${name}`, (client) => client.readStream(name, options));
  }

  async last(name: string): Promise<Recorded | undefined> {
    const options = { fromRevision: END, maxCount: 1, direction: BACKWARDS, requiresLeader: true } as const;
    const [last] = await this.collect(`read of ${name}`, (client) => client.readStream(name, options));
    return last;
  }

  /** Records before a position, the nearest first. */
  before(position: LogPosition | typeof END, count: number): Promise<LogRecord[]> {
    const options = { fromPosition: position, maxCount: count, direction: BACKWARDS, requiresLeader: true } as const;
    return this.all('read of $all backwards', options);
  }

  /** Records from a position on, the one that stands there included. */
  from(position: LogPosition | typeof START, count: number): Promise<LogRecord[]> {
    return this.all('read of $all', { fromPosition: position, maxCount: count, direction: FORWARDS, requiresLeader: true });
  }

  private async all(what: string, options: Parameters<Client['readAll']>[0]): Promise<LogRecord[]> {
    const records = await this.collect(what, (client) => client.readAll(options) as StreamingRead<ResolvedEvent>);
    return records.flatMap((record) => (record.position === undefined ? [] : [record as LogRecord]));
  }

  private collect(
    what: string,
    open: (client: Client) => StreamingRead<ResolvedEvent>,
  ): Promise<(Recorded & { position?: LogPosition })[]> {
    const { clock, client } = this.holder;
    return new Promise((resolve, reject) => {
      const records: (Recorded & { position?: LogPosition })[] = [];
      let heardMs = clock.monotonicMs();
      let timer: Timer | undefined;
      const stream = open(client);
      const settle = (outcome: () => void): void => {
        timer?.cancel();
        forgetReplaced();
        outcome();
      };
      const giveUp = (why: string): void => {
        settle(() => reject(unavailable(`${what}: ${why}`)));
        void stream.cancel().catch(() => undefined);
      };
      const forgetReplaced = this.holder.onReplaced(() => giveUp('the connection was given up'));
      const watch = (): void => {
        const left = heardMs + CALL_DEADLINE_MS - clock.monotonicMs();
        if (left > 0) return void (timer = clock.after(left, watch));
        giveUp(`no answer within ${CALL_DEADLINE_MS} ms`);
        this.holder.suspect(client);
      };
      watch();
      stream.on('data', ({ event }: ResolvedEvent) => {
        heardMs = clock.monotonicMs();
        if (event !== undefined) records.push(event);
      });
      stream.on('end', () => {
        this.holder.heard();
        settle(() => resolve(records));
      });
      stream.on('error', (error: unknown) => {
        if (!isNotFound(error)) return settle(() => reject(unavailable(what, error)));
        this.holder.heard();
        settle(() => resolve(records));
      });
    });
  }
}
