import type { Settlement } from '@cairn/ports';
import { MESSAGE_BYTES_MAX } from '@cairn/ports';
import { bury, type DeadLetter } from './dead-letters.js';
import type { Delivery } from './delivery.js';
import type { Publisher } from './publish.js';
import type { PullTarget } from './pull.js';
import { isInbox } from './subjects.js';
import { ANSWER_TO, bytesOfAnswer } from './wire.js';
import type { JsonObject } from '@cairn/kernel';
import type { Link } from './link.js';

/** A dead letter that could not be stored is tried again after this, with its message: nothing vanishes without one. */
const BURY_AGAIN_MS = 1_000;

/** Turns settlements into the server's words: the only place that acknowledges, and that answers who asked. */
export class Settler {
  constructor(
    private readonly link: Link,
    private readonly publisher: Publisher,
    private readonly target: PullTarget,
    private readonly onDead: (letter: DeadLetter) => void,
  ) {}

  /** Acknowledgements are not awaited: one that gets lost costs a repetition, which the history recognises. */
  async settle(delivery: Delivery, id: string, settlement: Settlement): Promise<void> {
    switch (settlement.kind) {
      case 'done':
        this.answer(delivery, settlement.answer);
        return this.say(() => delivery.ack());
      case 'again':
        return this.say(() => delivery.nak(settlement.afterMs));
      case 'never':
        this.answer(delivery, settlement.answer);
        return this.end(delivery, id, settlement.reason);
    }
  }

  private async end(delivery: Delivery, id: string, reason: string): Promise<void> {
    let letter: DeadLetter;
    try {
      letter = await bury(this.publisher, this.target, delivery, id, reason);
    } catch {
      return this.say(() => delivery.nak(BURY_AGAIN_MS));
    }
    this.say(() => delivery.term());
    this.onDead(letter);
  }

  private answer({ message }: Delivery, answer: JsonObject | undefined): void {
    const to = answerTo(message.headers?.get(ANSWER_TO));
    if (answer === undefined || to === undefined) return;
    const bytes = bytesOfAnswer(answer);
    if (bytes.length <= MESSAGE_BYTES_MAX) this.say(() => this.link.connection.publish(to, bytes)); // Else the asker follows its receipt.
  }

  /** A connection that is closed says nothing any more; `ackWaitMs` brings the message to the next. */
  private say(words: () => void): void {
    if (!this.link.connection.isClosed()) words();
  }
}

/** The inbox in a header, if it is one. */
export function answerTo(header: string | undefined): string | undefined {
  return header !== undefined && header !== '' && isInbox(header) ? header : undefined;
}
