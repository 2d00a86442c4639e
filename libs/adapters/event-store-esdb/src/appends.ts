import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { jsonEvent, binaryEvent, WrongExpectedVersionError, MaxAppendSizeExceededError } from '@eventstore/db-client';
import type { ExpectedRevision } from '@cairn/kernel';
import { StoreFault, type AppendResult, type Randomness } from '@cairn/ports';
import { isServerTimeout, resultOf } from './append-answer.js';
import { AppendCall, type ProposedAppend } from './append-call.js';
import type { Client, ClientHolder } from './client.js';
import { CALL_DEADLINE_MS } from './deadline.js';
import { appendUnknown, isAccessDenied, isNeverBegun, unavailable } from './errors.js';
import type { ProposedEvent } from './event-codec.js';
import type { Reading } from './reading.js';
import { uuidOfHex } from './uuid.js';

/** Appends and bytes under way at most; more wait here, where they surely are not stored. */
const IN_FLIGHT_MAX = 512;
const IN_FLIGHT_BYTES_MAX = 16 * 1_048_576;

/** Between two looks for events that a server has refused us for and does not show yet. */
const INDEXING_MS = 10;

interface Waiting {
  append: ProposedAppend;
  readonly bytes: number;
  readonly settle: (outcome: () => AppendResult) => void;
  readonly isSettled: () => boolean;
  /** Where and when it was handed over. */
  sent: { readonly client: Client; readonly atMs: number } | undefined;
  /** Nobody waits for the answer to what was sent any more. */
  forget: () => void;
}

/** All appends of the process: pipelined on one call, each with its own outcome and its own deadline. */
export class Appends {
  private readonly queue: Waiting[] = [];
  private inFlight = 0;
  private inFlightBytes = 0;
  /** When a server last answered an append. */
  private answeredMs = -Infinity;
  private readonly calls = new WeakMap<Client, AppendCall>();

  constructor(
    private readonly holder: ClientHolder,
    private readonly reading: Reading,
    private readonly randomness: Randomness,
  ) {}

  /** Throws `StoreFault`: `store_unavailable` and `append_too_large` where surely nothing is stored, else `append_unknown`. */
  async append(stream: string, expected: ExpectedRevision, events: readonly ProposedEvent[]): Promise<AppendResult> {
    const result = await this.answerTo(stream, expected, events);
    const after = expected === 'no_stream' ? -1 : expected;
    if (result.kind === 'appended' || result.actual === 'no_stream' || result.actual < after + events.length) return result;
    // A server that has not indexed the first copy yet refuses the second.
    return (await this.areThere(stream, after + 1, events)) ? { kind: 'appended', revision: after + events.length } : result;
  }

  /** Whether these very events stand from a revision on. */
  private async areThere(stream: string, from: number, events: readonly ProposedEvent[]): Promise<boolean> {
    const until = this.holder.clock.monotonicMs() + CALL_DEADLINE_MS;
    while (this.holder.clock.monotonicMs() < until) {
      const found = await this.reading.stream(stream, from, events.length);
      if (found.some(({ id }, i) => id !== events[i]?.id)) return false;
      if (found.length === events.length) return true;
      await new Promise<void>((resolve) => this.holder.clock.after(INDEXING_MS, resolve));
    }
    throw appendUnknown(`append to ${stream}: refused for events that cannot be read yet`);
  }

  private answerTo(stream: string, expected: ExpectedRevision, events: readonly ProposedEvent[]): Promise<AppendResult> {
    const bytes = events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
    const append: ProposedAppend = { correlation: uuidOfHex(this.randomness.entropy()), stream, expected, events };
    return new Promise<AppendResult>((resolve, reject) => {
      let settled = false;
      const settle = (outcome: () => AppendResult): void => {
        if (settled) return;
        settled = true;
        timer.cancel();
        if (waiting.sent !== undefined) this.landed(waiting);
        else this.queue.splice(this.queue.indexOf(waiting), 1);
        try {
          resolve(outcome());
        } catch (fault) {
          reject(fault as Error);
        }
      };
      const waiting: Waiting = { append, bytes, settle, isSettled: () => settled, sent: undefined, forget: () => undefined };
      const timer = this.holder.clock.after(CALL_DEADLINE_MS, () => this.late(waiting));
      this.queue.push(waiting);
      this.handOver();
    });
  }

  private handOver(): void {
    while (this.inFlight < IN_FLIGHT_MAX && (this.inFlight === 0 || this.inFlightBytes < IN_FLIGHT_BYTES_MAX)) {
      const waiting = this.queue.shift();
      if (waiting === undefined) return;
      this.inFlight++;
      this.inFlightBytes += waiting.bytes;
      void this.send(this.holder.client, waiting);
    }
  }

  private landed({ bytes }: Waiting): void {
    this.inFlight--;
    this.inFlightBytes -= bytes;
    this.handOver();
  }

  private async send(client: Client, waiting: Waiting): Promise<void> {
    const { append, settle } = waiting;
    const what = `append to ${append.stream}`;
    waiting.sent = { client, atMs: this.holder.clock.monotonicMs() };
    const broken = (error: unknown): void =>
      settle(() => {
        throw isNeverBegun(error) ? unavailable(what, error) : appendUnknown(what, error);
      });
    try {
      if (!(await client.inside.supports(streamsGrpc.StreamsService.batchAppend))) return void (await this.sendAlone(client, waiting));
    } catch (error) {
      this.holder.replace(client); // It remembers what it could not learn.
      return settle(() => {
        throw unavailable(what, error);
      });
    }
    if (waiting.isSettled()) return;
    try {
      waiting.forget = await this.callOf(client).send(append, {
        answered: (response) => {
          this.answered();
          if (isServerTimeout(response) && !waiting.isSettled()) return this.again(waiting);
          settle(() => resultOf(response, append.stream));
        },
        broken,
      });
      if (waiting.isSettled()) waiting.forget(); // Its deadline came while the call was being opened.
    } catch (error) {
      settle(() => {
        throw unavailable(what, error);
      });
    }
  }

  /** Its deadline goes on. */
  private again(waiting: Waiting): void {
    waiting.append = { ...waiting.append, correlation: uuidOfHex(this.randomness.entropy()) };
    void this.send(this.holder.client, waiting);
  }

  /** For servers of before 21.10: one call for each append. */
  private async sendAlone(client: Client, { append, settle }: Waiting): Promise<void> {
    const { stream, expected, events } = append;
    try {
      const { nextExpectedRevision } = await client.appendToStream(stream, events.map(clientEvent), {
        expectedRevision: expected === 'no_stream' ? expected : BigInt(expected),
      });
      this.answered();
      settle(() => ({ kind: 'appended', revision: Number(nextExpectedRevision) }));
    } catch (error) {
      if (isRefusal(error)) this.answered();
      settle(() => outcomeOf(error, stream));
    }
  }

  private answered(): void {
    this.answeredMs = this.holder.clock.monotonicMs();
    this.holder.heard();
  }

  private late({ append, settle, sent, forget }: Waiting): void {
    const what = `append to ${append.stream}: no answer within ${CALL_DEADLINE_MS} ms`;
    forget();
    settle(() => {
      throw sent === undefined ? unavailable(what) : appendUnknown(what);
    });
    // Reads may go on being answered where no append is: a connection on which nothing more can be sent looks like that.
    if (sent !== undefined && this.answeredMs < sent.atMs) this.holder.replace(sent.client);
    else this.holder.suspect(this.holder.client);
  }

  private callOf(client: Client): AppendCall {
    let call = this.calls.get(client);
    if (call === undefined) this.calls.set(client, (call = new AppendCall(client)));
    return call;
  }
}

/** Whether a server that takes one append a call has answered with this. */
const isRefusal = (error: unknown): boolean =>
  error instanceof WrongExpectedVersionError || error instanceof MaxAppendSizeExceededError || isAccessDenied(error);

function outcomeOf(error: unknown, stream: string): AppendResult {
  if (error instanceof WrongExpectedVersionError) {
    return { kind: 'conflict', actual: typeof error.actualVersion === 'bigint' ? Number(error.actualVersion) : 'no_stream' };
  }
  if (error instanceof MaxAppendSizeExceededError) {
    throw new StoreFault('append_too_large', `append to ${stream}: more than the server's MaxAppendSize`, { cause: error });
  }
  throw isNeverBegun(error) ? unavailable(`append to ${stream}`, error) : appendUnknown(`append to ${stream}`, error);
}

function clientEvent({ id, type, isJson, data, metadata }: ProposedEvent) {
  const parsed = JSON.parse(Buffer.from(metadata).toString('utf8')) as Record<string, unknown>;
  if (!isJson) return binaryEvent({ id, type, data, metadata: parsed });
  return jsonEvent({ id, type, data: JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>, metadata: parsed });
}
