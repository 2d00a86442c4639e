import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { StandInFaults } from './faults.js';
import type { Log } from './log.js';
import type { LogRecord } from './records.js';
import { startOf, writable, type ReadCall } from './reading.js';
import { caughtUpResponse, checkpointResponse, confirmationResponse, eventResponse, rpcError } from './wire.js';

/** Messages that wait for a live subscriber at most; one more ends its subscription. */
const LIVE_BUFFER_MAX = 32;
/** Events that a page of catching up looks at when the client names no window. */
const SEARCH_WINDOW = 32;

/**
 * One subscription to `$all`. It catches up in pages, tells checkpoints of what it has looked at, then is live: what is appended goes
 * into a small buffer, and a burst that does not fit drops the subscription, as servers of 20.x to 23.10 do.
 */
export class StandInSubscription {
  private readonly matches: (record: LogRecord) => boolean;
  private readonly interval: number;
  private readonly window: number;
  private considered = 0;
  /** Responses that wait to be written, once the subscription is live. */
  private live: streams.ReadResp[] | undefined;
  private wake = (): void => undefined;
  private ended = false;
  /** It says nothing more for ever: it must not go on behind what it has left out. */
  private muted = false;

  constructor(
    private readonly log: Log,
    private readonly faults: StandInFaults,
    private readonly call: ReadCall,
  ) {
    const filter = call.request.getOptions()?.getFilter();
    this.matches = matcher(filter);
    this.window = filter?.hasMax() === true ? filter.getMax() : SEARCH_WINDOW;
    this.interval = filter === undefined ? Infinity : this.window * filter.getCheckpointintervalmultiplier();
    call.on('cancelled', () => this.end());
    call.on('close', () => this.end());
    call.on('error', () => this.end());
  }

  /** Resolves when the subscription has ended. */
  async run(): Promise<void> {
    await this.faults.passed();
    let at: number;
    try {
      at = startOf(this.log, this.call.request.getOptions()?.getAll());
      if (this.call.request.getOptions()?.getAll()?.hasPosition() === true && at < this.log.records.length) at++; // Exclusive.
    } catch {
      return this.fail(rpcError(status.UNKNOWN, 'Exception was thrown by handler.'));
    }
    await this.write(confirmationResponse(randomUUID()));
    while (!this.ended && at < this.log.records.length) at = await this.catchUpPage(at);
    this.live = [];
    await this.write(caughtUpResponse());
    while (!this.ended) {
      const next = this.live.shift();
      if (next === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
      else await this.write(next);
    }
  }

  /** Records from this index on were appended. */
  appended(from: number): void {
    if (this.live === undefined || this.ended) return;
    for (const record of this.log.records.slice(from)) {
      if (this.matches(record)) this.live.push(eventResponse(record));
      if (this.isCheckpoint()) this.live.push(checkpointResponse(record.position));
    }
    if (this.live.length > LIVE_BUFFER_MAX) {
      this.drop('Operation timed out: Consumer too slow to handle event while live. Client resubscription required.');
    }
    this.wake();
  }

  drop(details: string): void {
    if (!this.ended) this.fail(rpcError(status.ABORTED, details));
  }

  private async catchUpPage(at: number): Promise<number> {
    const page = this.log.records.slice(at, at + this.window);
    let position = page[0]?.position ?? 0n;
    let checkpoint = false;
    for (const record of page) {
      checkpoint = this.isCheckpoint() || checkpoint;
      if (!this.matches(record)) continue;
      position = record.position;
      await this.write(eventResponse(record));
      if (this.ended) return at;
    }
    if (checkpoint) await this.write(checkpointResponse(position));
    else await new Promise<void>((resolve) => setImmediate(resolve));
    return at + page.length;
  }

  private isCheckpoint(): boolean {
    this.considered++;
    if (this.considered < this.interval) return false;
    this.considered = 0;
    return true;
  }

  private async write(response: streams.ReadResp): Promise<void> {
    await this.faults.passed();
    this.muted ||= this.faults.muteSubscriptions;
    if (this.ended || this.muted) return;
    if (!this.call.write(response)) await writable(this.call);
  }

  private fail(error: Error): void {
    this.end();
    this.call.emit('error', error);
  }

  private end(): void {
    this.ended = true;
    this.wake();
  }
}

function matcher(filter: streams.ReadReq.Options.FilterOptions | undefined): (record: LogRecord) => boolean {
  if (filter === undefined) return () => true;
  const expression = filter.getEventType() ?? filter.getStreamIdentifier();
  const subject = filter.hasEventType() ? ({ type }: LogRecord) => type : ({ stream }: LogRecord) => stream;
  const prefixes = expression?.getPrefixList() ?? [];
  if (prefixes.length > 0) return (record) => prefixes.some((prefix) => subject(record).startsWith(prefix));
  const regex = new RegExp(expression?.getRegex() ?? '');
  return (record) => regex.test(subject(record));
}
