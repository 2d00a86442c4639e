import { BusFault, type Clock, type Line, type LineMessage, type Listening } from '@cairn/ports';
import { isFilter, isSubject, matches, parseFilter, type Filter } from './subjects.js';

/** As a NATS server's default, so that what fits here fits there. */
export const LINE_BYTES_MAX = 1_048_576;

/** The line of one process, and what only the owner of the world may do with it. */
export interface MemoryLine extends Line {
  /** `kill -9` of its process: it hears nothing and says nothing any more, and nobody is told. */
  die(): void;
}

/** Where lines of several processes meet. */
export interface Switchboard {
  /** The line of one more process. */
  line(): MemoryLine;
}

export interface SwitchboardOptions {
  /** For deadlines. What is told is heard without any timer. */
  readonly clock: Clock;
  /** Told what a listener threw. */
  readonly onBug?: (bug: unknown, subject: string) => void;
}

interface Listener {
  readonly filter: Filter;
  readonly hear: (message: LineMessage) => void;
}

/** Lines within this process that speak to each other. What is told is heard later than `tell` returns, in the order of telling. */
export function createMemoryLine(options: SwitchboardOptions): Switchboard {
  const board = new Board(options);
  return { line: () => new LineInMemory(board, options.clock) };
}

class Board {
  private readonly listeners = new Set<Listener>();
  private readonly present = new Set<string>();
  private joined = 0;

  constructor(private readonly options: SwitchboardOptions) {}

  join(): string {
    const aliveAt = `_INBOX.line-${this.joined++}.alive`;
    this.present.add(aliveAt);
    return aliveAt;
  }

  leave(aliveAt: string): void {
    this.present.delete(aliveAt);
  }

  isThere(aliveAt: string): boolean {
    return this.present.has(aliveAt);
  }

  add(listener: Listener): void {
    this.listeners.add(listener);
  }

  remove(listener: Listener): void {
    this.listeners.delete(listener);
  }

  /** Whoever listens then hears it. Answers whether anybody does. */
  send(message: LineMessage): boolean {
    const tokens = message.subject.split('.');
    const hearers = [...this.listeners].filter(({ filter }) => matches(filter, tokens));
    for (const listener of hearers) {
      queueMicrotask(() => {
        if (this.listeners.has(listener)) this.give(listener, message);
      });
    }
    return hearers.length > 0;
  }

  private give({ hear }: Listener, message: LineMessage): void {
    try {
      hear(message);
    } catch (bug) {
      this.options.onBug?.(bug, message.subject);
    }
  }
}

class LineInMemory implements MemoryLine {
  readonly aliveAt: string;
  private readonly listening = new Set<Listener>();
  private readonly asking = new Set<(fault: BusFault) => void>();
  private closed = false;

  constructor(
    private readonly board: Board,
    private readonly clock: Clock,
  ) {
    this.aliveAt = board.join();
  }

  tell(subject: string, data: Uint8Array): void {
    check(subject, data);
    if (!this.closed) this.board.send({ subject, data: data.slice(), asked: false, answer: (answer) => mustFit(subject, answer) });
  }

  async ask(subject: string, data: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    check(subject, data);
    if (this.closed) throw new BusFault('bus_unavailable', 'the line is closed');
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel();
        this.asking.delete(fail);
      };
      const fail = (fault: BusFault): void => {
        end();
        reject(fault);
      };
      const late = (): void => fail(new BusFault('ask_timeout', `${subject}: no answer within ${deadlineMs} ms`));
      const timer = this.clock.after(deadlineMs, late);
      this.asking.add(fail);
      const answer = (answered: Uint8Array): void => {
        mustFit(subject, answered);
        const copy = answered.slice();
        queueMicrotask(() => {
          if (!this.asking.has(fail)) return;
          end();
          resolve(copy);
        });
      };
      if (!this.board.send({ subject, data: data.slice(), asked: true, answer })) {
        fail(new BusFault('no_consumer', `${subject}: nobody listens there`));
      }
    });
  }

  /** Nothing lies between: it comes back unless the line is closed. */
  async roundTrip(): Promise<void> {
    if (this.closed) throw new BusFault('bus_unavailable', 'the line is closed');
  }

  listen(subject: string, hear: (message: LineMessage) => void): Listening {
    if (!isFilter(subject)) throw badSubject(subject);
    if (this.closed) throw new BusFault('bus_unavailable', 'the line is closed');
    const listener = { filter: parseFilter(subject), hear };
    this.listening.add(listener);
    this.board.add(listener);
    return {
      stop: () => {
        this.listening.delete(listener);
        this.board.remove(listener);
      },
    };
  }

  ifGone(aliveAt: string, then: () => void): void {
    queueMicrotask(() => {
      if (!this.closed && !this.board.isThere(aliveAt)) then();
    });
  }

  async close(): Promise<void> {
    this.die();
  }

  die(): void {
    this.closed = true;
    for (const listener of this.listening) this.board.remove(listener);
    this.board.leave(this.aliveAt);
    for (const fail of this.asking) fail(new BusFault('bus_unavailable', 'the line was closed before an answer came'));
  }
}

function check(subject: string, data: Uint8Array): void {
  if (!isSubject(subject)) throw badSubject(subject);
  mustFit(subject, data);
}

function mustFit(subject: string, { length }: Uint8Array): void {
  if (length > LINE_BYTES_MAX) throw new BusFault('message_too_large', `${subject}: ${length} bytes, at most ${LINE_BYTES_MAX}`);
}

const badSubject = (subject: string): BusFault => new BusFault('bad_subject', `not a subject: ${JSON.stringify(subject.slice(0, 200))}`);
