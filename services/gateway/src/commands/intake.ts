import { problemOf, type CloudEvent, type IntakeAnswer, type Receipt } from '@cairn/contracts';
import type { JsonObject } from '@cairn/kernel';
import { ASK_DEADLINE_MS, isFault, type Bus, type Ids } from '@cairn/ports';
import { Refused } from '../edge/refused.js';

/** Carries events to the one door of intake, which is scheduling's (`architecture.md` §2), and brings the receipt back. */
export class Intake {
  constructor(private readonly parts: { readonly bus: Bus; readonly ids: Ids }) {}

  /** The receipt with its first line, or `undefined` if there was none in time: it can then be followed. Throws `BusFault`. */
  async receive(subject: string, event: CloudEvent): Promise<IntakeAnswer | undefined> {
    // A fresh id for each message: the bus may swallow a repeated one, and with it the answer. The event's own id is what counts.
    const answer = await this.ask(subject, { ...event, cairnvia: 'http' } as unknown as JsonObject);
    return answer as IntakeAnswer | undefined;
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

/** The receipt of an answer that is no refusal; else throws the refusal with its own code, and the receipt to look at if there is one. */
export function receiptOf(ns: string, answer: IntakeAnswer | undefined): Receipt | undefined {
  if (answer?.outcome !== 'refused') return answer;
  const { code, detail, errors } = answer.problem ?? { code: 'event_refused', detail: 'The event was refused.' };
  const { receiptId } = answer;
  const receipt = receiptId === undefined ? {} : { receiptId, instance: `/v1/${ns}/events/${receiptId}` };
  throw new Refused(problemOf(code, detail, { ...receipt, ...(errors === undefined ? {} : { errors }) }));
}
