import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core';

/** What the adapter's parts ask of the connection beside sending: whether it stands, and when it stands again. */
export class Link {
  private up = true;
  private readonly listeners = new Set<() => void>();
  private readonly downListeners = new Set<() => void>();

  constructor(
    readonly connection: NatsConnection,
    /** As given to `connectNats`. */
    private readonly inboxPrefix?: string,
  ) {
    void this.follow();
  }

  get isUp(): boolean {
    return this.up && !this.connection.isClosed();
  }

  /** A subject of this client alone, for answers. */
  newInbox(): string {
    return createInbox(this.inboxPrefix);
  }

  /** Messages of one subject, until unsubscribed. An error says that the server refused the subscription, which its log names too. */
  listen(subject: string, hear: (message: Msg) => void): Subscription {
    const callback = (error: Error | null, message: Msg): void => {
      if (error === null) hear(message);
    };
    return this.connection.subscribe(subject, { callback });
  }

  /** Calls back at each reconnection until the returned function is called. */
  onUp(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls back each time the connection is lost or closed, until the returned function is called. */
  onDown(listener: () => void): () => void {
    this.downListeners.add(listener);
    return () => this.downListeners.delete(listener);
  }

  private async follow(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === 'disconnect') this.isDown();
      if (type !== 'reconnect') continue;
      this.up = true;
      for (const listener of [...this.listeners]) listener();
    }
    this.isDown();
  }

  private isDown(): void {
    this.up = false;
    for (const listener of [...this.downListeners]) listener();
  }
}
