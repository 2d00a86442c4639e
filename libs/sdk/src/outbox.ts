import { FRAME_BYTES_MAX } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import { RESEND_MS, type Reply } from './exchange/reply.js';

/** Characters of replies in one frame at most: a quarter of the limit in bytes, so that no escape or umlaut can break it. */
const FRAME_TEXT_MAX = FRAME_BYTES_MAX / 4;
/** Replies from the moment they are ready until the server says `accepted`, `late` or `forwarded`. A lost connection loses none. */
export class Outbox {
  #ready: Reply[] = [];
  /** Sent and not settled, oldest sending first. */
  readonly #sent = new Map<string, { readonly reply: Reply; readonly at: number }>();

  get size(): number {
    return this.#ready.length + this.#sent.size;
  }

  add(reply: Reply): void {
    this.#ready.push(reply);
  }

  /** Whether something wants a frame now. */
  hasWork(now: number): boolean {
    return this.#ready.length > 0 || this.#overdue(now);
  }

  /** What the next frame carries, at most `max` replies, and counts as sent. */
  take(now: number, max: number): readonly Reply[] {
    while (this.#overdue(now)) this.#returnOldest();
    let count = 0;
    for (let length = 0; count < this.#ready.length && count < max; count++) {
      length += this.#ready[count]?.text.length ?? 0;
      if (length > FRAME_TEXT_MAX && count > 0) break;
    }
    const taken = count === this.#ready.length ? this.#ready : this.#ready.slice(0, count);
    this.#ready = count === this.#ready.length ? [] : this.#ready.slice(count);
    for (const reply of taken) this.#sent.set(reply.id, { reply, at: now });
    return taken;
  }

  /** The server has it for good, or never will. Answers the reply if it was under way. */
  settle(id: string): Reply | undefined {
    const sent = this.#sent.get(id);
    this.#sent.delete(id);
    return sent?.reply;
  }

  /** Another text for a reply that is ready: what was there will never be taken. */
  replace(reply: Reply): void {
    this.#ready = this.#ready.map((one) => (one.id === reply.id ? reply : one));
  }

  /** The connection is lost: nobody knows what arrived, so all of it goes again. */
  unsend(): void {
    this.#ready = [...[...this.#sent.values()].map(({ reply }) => reply), ...this.#ready];
    this.#sent.clear();
  }

  /** Attempts whose replies are under way. */
  *sentAttempts(): Iterable<Id> {
    for (const { reply } of this.#sent.values()) yield reply.attemptId;
  }

  #overdue(now: number): boolean {
    for (const { at } of this.#sent.values()) return now - at >= RESEND_MS;
    return false;
  }

  #returnOldest(): void {
    for (const [id, { reply }] of this.#sent) {
      this.#sent.delete(id);
      this.#ready.push(reply);
      return;
    }
  }
}
