import { problemOf, type CloudEvent, type IntakeAnswer, type Receipt } from '@cairn/contracts';
import type { JsonObject } from '@cairn/kernel';
import { ASK_DEADLINE_MS, isFault, type Bus, type Ids } from '@cairn/ports';
import { Refused } from '../edge/refused.js';

/** Who asks over HTTP: the one holder of the token. People get names with sign-in. */
export const HTTP_ACTOR = 'user:local';

/** Carries events to the one door of intake, which is scheduling's (`architecture.md` §2), and brings the receipt back. */
export class Intake {
  constructor(private readonly parts: { readonly bus: Bus; readonly ids: Ids }) {}

  /** The receipt with its first line, or `undefined` if there was none in time: it can then be followed. Throws `BusFault`. */
  async receive(subject: string, event: CloudEvent): Promise<Receipt | undefined> {
    // A fresh id for each message: the bus may swallow a repeated one, and with it the answer. The event's own id is what counts.
    const answer = await this.ask(subject, event as unknown as JsonObject);
    return answer === undefined ? undefined : (answer as unknown as IntakeAnswer).receipt;
  }

  /** The answer of whoever the subject belongs to, or `undefined` after `ASK_DEADLINE_MS`. */
  async ask(subject: string, body: JsonObject): Promise<JsonObject | undefined> {
    try {
      return await this.parts.bus.ask({ subject, id: this.parts.ids.next(), body }, ASK_DEADLINE_MS);
    } catch (error) {
      if (isFault(error) && error.code === 'ask_timeout') return undefined;
      throw error;
    }
  }
}

/** What a refusal on a receipt is over HTTP: its own code, and the receipt to look at. */
export function refusedBy(ns: string, receipt: Receipt): Refused {
  const { code, detail, errors } = receipt.problem ?? { code: 'event_refused', detail: 'The event was refused.' };
  const instance = `/v1/${ns}/events/${receipt.receiptId}`;
  return new Refused(problemOf(code, detail, { receiptId: receipt.receiptId, instance, ...(errors === undefined ? {} : { errors }) }));
}
