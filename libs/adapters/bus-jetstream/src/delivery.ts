import { invariant } from '@cairn/kernel';
import { nanos, type Msg } from '@nats-io/nats-core';

/** One delivery of a message to a consumer, and the four words that the server understands about it. */
export class Delivery {
  /** Its place in the bus stream: the same in every delivery. */
  readonly sequence: number;
  /** From 1; the server's count. */
  readonly deliveries: number;

  /** The same in every delivery of the message, and of no other: a stream that was made anew counts from 1 again. */
  readonly place: string;

  constructor(readonly message: Msg) {
    const place = placeOf(message.reply ?? '');
    invariant(place !== undefined, 'what a consumer delivers says where to acknowledge it');
    this.sequence = place.sequence;
    this.deliveries = place.deliveries;
    this.place = `${place.sequence} ${place.storedAt}`;
  }

  /** It is being worked on: the wait for its acknowledgement begins anew. */
  working(): void {
    this.message.respond('+WPI');
  }

  ack(): void {
    this.message.respond('+ACK');
  }

  /** Again, not before `afterMs`. */
  nak(afterMs: number): void {
    this.message.respond(afterMs <= 0 ? '-NAK' : `-NAK ${JSON.stringify({ delay: nanos(afterMs) })}`);
  }

  /** Never again. Bare: a reason is not honoured by every server (`facts.md` T-9) and stands in our dead letter. */
  term(): void {
    this.message.respond('+TERM');
  }
}

/**
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>`, and in a newer form with domain and
 * account before the stream's name.
 */
function placeOf(reply: string): { readonly deliveries: number; readonly sequence: number; readonly storedAt: string } | undefined {
  const tokens = reply.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK') return undefined;
  const at = tokens.length >= 11 ? 6 : 4;
  const [deliveries, sequence] = [Number(tokens[at]), Number(tokens[at + 1])];
  return Number.isSafeInteger(deliveries) && Number.isSafeInteger(sequence)
    ? { deliveries, sequence, storedAt: tokens[at + 3] ?? '' }
    : undefined;
}
