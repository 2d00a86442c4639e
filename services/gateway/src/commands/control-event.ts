import { controlType, HTTP_SOURCE, type CloudEvent, type ControlVerb, type Receipt } from '@cairn/contracts';
import { idOf, type Id, type Json } from '@cairn/kernel';
import type { Ids } from '@cairn/ports';
import { receiptOf, type Intake } from './intake.js';

/** Who asks, and by which door. */
export interface Asking {
  readonly intake: Intake;
  readonly ids: Ids;
  /** What the history says did it. */
  readonly actor: string;
}

/** What a person asks of a run. */
export interface Control {
  readonly ns: string;
  readonly run: Id;
  readonly verb: ControlVerb;
  /** Where intake hears it. */
  readonly subject: string;
  /** The caller's own name for it: a repeat is the same event. Absent: a new one. */
  readonly eventId: string | undefined;
  readonly data: Json;
}

/** Of a question that intake has not answered yet. */
export interface PendingReceipt extends Pick<Receipt, 'receiptId' | 'source' | 'id' | 'type'> {
  readonly outcome: 'pending';
  readonly runs?: never;
}

/**
 * Carries what a person asks of a run through the one door of intake, in that person's name, and brings the receipt back: `pending` while it
 * has not been answered. Throws what refuses it.
 */
export async function askByEvent(
  { intake, ids, actor }: Asking,
  { ns, run, verb, subject, eventId, data }: Control,
): Promise<Receipt | PendingReceipt> {
  const id = eventId ?? ids.next();
  const type = controlType(verb);
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: HTTP_SOURCE,
    type,
    datacontenttype: 'application/json',
    cairnns: ns,
    cairnrun: run,
    cairnactor: actor,
    data,
  };
  const receipt = receiptOf(ns, await intake.receive(subject, event));
  return receipt ?? { receiptId: idOf('receipt', ns, HTTP_SOURCE, id), source: HTTP_SOURCE, id, type, outcome: 'pending' };
}
