import type { ServerResponse } from 'node:http';
import type { HangUp } from '@cairn/contracts';

/**
 * Tells when whoever asked goes away before the answer was written. (The request's own `close` says only that its body was read: the
 * answer's tells, and comes after every answer as well.)
 */
export function hungUp(response: ServerResponse): HangUp {
  const client = new Client();
  response.once('close', () => {
    if (!response.writableEnded) client.hangUp();
  });
  return client;
}

class Client implements HangUp {
  aborted = false;
  private readonly listeners: (() => void)[] = [];

  hangUp(): void {
    this.aborted = true;
    for (const listener of [...this.listeners]) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.listeners.indexOf(listener);
    if (at >= 0) this.listeners.splice(at, 1);
  }
}
