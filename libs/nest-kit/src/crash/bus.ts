import type { Bus, Handle, Line, LineMessage } from '@cairn/ports';
import type { Reached } from './trap.js';

/** By then what was handed to the connection has left the process. */
const SENT_MS = 10;

/** The bus, telling of each message that is taken, settled, published or asked. What execution tells of a run is its relay's. */
export function busWithCrashPoints(bus: Bus, reached: Reached): Bus {
  return {
    publish: async (message) => {
      const relayed = message.subject.includes('.evt.run.');
      reached(relayed ? 'relay-read' : 'before-publish');
      await bus.publish(message);
      reached(relayed ? 'relay-published' : 'after-publish');
    },
    ask: async (message, deadlineMs) => {
      reached('before-publish');
      const answer = bus.ask(message, deadlineMs);
      afterSending(() => reached('published'));
      const said = await answer;
      reached('after-publish');
      reached('receipt-seen');
      return said;
    },
    consume: (spec, handle, rank) => bus.consume(spec, watched(handle, reached), rank),
    close: () => bus.close(),
  };
}

function watched(handle: Handle, reached: Reached): Handle {
  return async (message) => {
    reached('received');
    const settlement = await handle(message);
    reached('before-ack');
    afterSending(() => reached('after-ack'));
    return settlement;
  };
}

/** The line: a frame of a handler is taken and answered as a message is. */
export function lineWithCrashPoints(line: Line, reached: Reached): Line {
  const heard = (message: LineMessage): LineMessage => ({
    subject: message.subject,
    data: message.data,
    asked: message.asked,
    answer: (data) => {
      reached('before-ack');
      message.answer(data);
      afterSending(() => reached('after-ack'));
    },
  });
  return {
    tell: (subject, data) => line.tell(subject, data),
    ask: (subject, data, deadlineMs) => line.ask(subject, data, deadlineMs),
    roundTrip: (deadlineMs) => line.roundTrip(deadlineMs),
    listen: (subject, hear) =>
      line.listen(subject, (message) => {
        if (!message.asked) return hear(message); // A beat of presence is no work.
        reached('received');
        hear(heard(message));
      }),
    aliveAt: line.aliveAt,
    ifGone: (aliveAt, then) => line.ifGone(aliveAt, then),
    close: () => line.close(),
  };
}

function afterSending(then: () => void): void {
  setTimeout(then, SENT_MS).unref();
}
