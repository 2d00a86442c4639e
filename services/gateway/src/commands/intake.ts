import { problemOf, type CloudEvent, type IntakeAnswer, type Receipt } from '@cairn/contracts';
import type { JsonObject } from '@cairn/kernel';
import { ASK_DEADLINE_MS, isFault, type Bus, type Ids } from '@cairn/ports';
import { Refused } from '../edge/refused.js';

/**
 * What may be on its way to a service at once. Scheduling takes in some 500 events a second on a slow disk, so the last of so many is
 * answered well within `ASK_DEADLINE_MS`; one more would only learn that it was not.
 */
export const ASKS_OPEN_MAX = 2_048;
/** Seconds: half of what is on its way is answered by then. */
const RETRY_AFTER_S = '2';

/** Carries events to the one door of intake, which is scheduling's (`architecture.md` §2), and brings the receipt back. */
export class Intake {
  private open = 0;

  constructor(private readonly parts: { readonly bus: Bus; readonly ids: Ids }) {}

  /** The receipt with its first line, or `undefined` if there was none in time: it can then be followed. Throws `BusFault`. */
  async receive(subject: string, event: CloudEvent): Promise<IntakeAnswer | undefined> {
    // A fresh id for each message: the bus may swallow a repeated one, and with it the answer. The event's own id is what counts.
    const answer = await this.ask(subject, { ...event, cairnvia: 'http' } as unknown as JsonObject);
    return answer as IntakeAnswer | undefined;
  }

  /**
   * The answer of whoever the subject belongs to, or `undefined` after `ASK_DEADLINE_MS`. Refuses at once where too much is on its way
   * already (P-10): nothing of the request has gone anywhere then.
   */
  async ask(subject: string, body: JsonObject): Promise<JsonObject | undefined> {
    if (this.open >= ASKS_OPEN_MAX) {
      const problem = problemOf('overloaded', `${this.open} requests are on their way already; send this one again later.`);
      throw new Refused(problem, { 'retry-after': RETRY_AFTER_S });
    }
    this.open += 1;
    try {
      return await this.parts.bus.ask({ subject, id: this.parts.ids.next(), body }, ASK_DEADLINE_MS);
    } catch (error) {
      if (isFault(error) && error.code === 'ask_timeout') return undefined;
      throw error;
    } finally {
      this.open -= 1;
    }
  }
}

/** The receipt of an answer that is no refusal; else throws the refusal with its own code, and the receipt to look at if there is one. */
export function receiptOf(ns: string, answer: IntakeAnswer | undefined): Receipt | undefined {
  if (answer?.outcome !== 'refused') return answer;
  const { code, detail, errors, plan } =
    answer.problem ?? ({ code: 'event_refused', detail: 'The event was refused.' } as NonNullable<IntakeAnswer['problem']>);
  const { receiptId } = answer;
  const receipt = receiptId === undefined ? {} : { receiptId, instance: `/v1/${ns}/events/${receiptId}` };
  throw new Refused(
    problemOf(code, detail, { ...receipt, ...(errors === undefined ? {} : { errors }), ...(plan === undefined ? {} : { plan }) }),
  );
}
