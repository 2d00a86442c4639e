/** What becomes of one append instead of being stored and answered. Each is used up by one append. */
export type StandInAppendFault =
  /** Neither stored nor answered. */
  | { readonly kind: 'mute' }
  /** Stored, never answered. */
  | { readonly kind: 'answer_lost' }
  /** The call that carries it ends with an error, and so does every append on that call: stored or not. */
  | { readonly kind: 'breaks_stream'; readonly stored: boolean }
  /** Answered with a status that says nothing about whether it was stored; it was, or was not. */
  | { readonly kind: 'unknown'; readonly stored: boolean }
  /** Answered that the server gave up waiting for its own commit, as a repetition is that comes while the first is being committed. */
  | { readonly kind: 'timeout'; readonly stored: boolean };

/** What makes the stand-in misbehave. Set by a spec while the server runs. */
export class StandInFaults {
  /** The next appends, in the order of their arrival. */
  readonly appends: StandInAppendFault[] = [];
  /** Every answer waits so long, in milliseconds. */
  delayMs = 0;
  /** Reads and subscriptions are accepted and never answered. */
  muteReads = false;
  /** Subscriptions say nothing more, and do not end either. */
  muteSubscriptions = false;
  /** Writing to and reading from streams with one of these beginnings is denied; `$all` is all of them read in their order. */
  readonly denied: string[] = [];
  /** Only writing is. */
  readonly deniedToWriters: string[] = [];
  private readonly appending = new Set<string>();
  private readonly stalled = new Set<string>();
  private frozen: { readonly over: Promise<void>; readonly thaw: () => void } | undefined;

  denies(stream: string): boolean {
    return this.denied.some((beginning) => stream.startsWith(beginning));
  }

  deniesWriting(stream: string): boolean {
    return this.denies(stream) || this.deniedToWriters.some((beginning) => stream.startsWith(beginning));
  }

  /** A client appends, on this connection. */
  carriesAppends(connection: string): void {
    this.appending.add(connection);
  }

  /** From now on no append arrives on the connections of now, whatever call carries it; all else does, and so does all on a new one. */
  stallAppends(): void {
    for (const connection of this.appending) this.stalled.add(connection);
  }

  isStalled(connection: string): boolean {
    return this.stalled.has(connection);
  }

  /** From now on nothing is stored or answered; what arrives waits. */
  freeze(): void {
    this.frozen ??= gate();
  }

  thaw(): void {
    this.frozen?.thaw();
    this.frozen = undefined;
  }

  get isFrozen(): boolean {
    return this.frozen !== undefined;
  }

  /** What every handler waits for before it does or answers anything. Resolves in the same turn where nothing is wrong. */
  async passed(): Promise<void> {
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    while (this.frozen !== undefined) await this.frozen.over;
  }
}

function gate(): { over: Promise<void>; thaw: () => void } {
  let thaw = (): void => undefined;
  const over = new Promise<void>((resolve) => (thaw = resolve));
  return { over, thaw };
}
