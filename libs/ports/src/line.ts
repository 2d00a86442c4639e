/**
 * Words of the moment between processes: asked and answered now, or not at all. Nothing is stored, so nothing that must happen may
 * depend on one that arrives; what does is in the history or on the `Bus`.
 */
export interface Line {
  /** Tells whoever listens now. That nobody does, or that the connection is away, is no error. Throws `BusFault`: `bad_subject`, `message_too_large`. */
  tell(subject: string, data: Uint8Array): void;

  /**
   * Asks whoever listens; the first answer counts.
   * Crash: the answer may be lost although the question was heard. Duplicate: heard at most once by each listener.
   * Throws `BusFault`: `no_consumer` at once where nobody listens, `ask_timeout` after `deadlineMs`, `message_too_large` before sending,
   * `bus_unavailable` while there is no connection.
   */
  ask(subject: string, data: Uint8Array, deadlineMs: number): Promise<Uint8Array>;

  /** Hears each message whose subject matches; `*` stands for one token and a final `>` for the rest. */
  listen(subject: string, hear: (message: LineMessage) => void): Listening;

  /** A word to ourselves through whatever lies between: health is one that comes back. Throws `ask_timeout`, `bus_unavailable`. */
  roundTrip(deadlineMs: number): Promise<void>;

  /** A subject of this process alone, at which others may see whether it is still there (`ifGone`). It is listened to until `close`. */
  readonly aliveAt: string;

  /**
   * Looks once, and calls back if nobody listens at `aliveAt` of another process any more. Of one that is there nothing is heard, nor
   * while this cannot be told: without a connection, or shortly after one came back, when others may still be on their way.
   */
  ifGone(aliveAt: string, then: () => void): void;

  /** Hears nothing more; what is asked fails with `bus_unavailable`. */
  close(): Promise<void>;
}

export interface LineMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Somebody waits for an answer. */
  readonly asked: boolean;
  /** Answers whoever asked; without effect if nobody did. Throws `BusFault('message_too_large')`. */
  answer(data: Uint8Array): void;
}

export interface Listening {
  stop(): void;
}
