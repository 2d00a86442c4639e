import type { IncomingHttpHeaders } from 'node:http';
import { inboundEventSchema, subjects } from '@cairn/contracts';
import { idOf, withoutVersion } from '@cairn/kernel';
import { accepted, type Answer } from '../answer.js';
import { readCloudEvent } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { checkedBody } from './checked-body.js';
import { receiptOf, type Intake } from './intake.js';

/** `POST events`: any CloudEvent, structured or binary. 202 with its receipt; the receipt's id alone if intake did not answer in time. */
export async function publishEvent(
  intake: Intake,
  ns: string,
  headers: IncomingHttpHeaders,
  body: RawBody | undefined,
  actor: string,
): Promise<Answer> {
  const event = checkedBody(inboundEventSchema, readCloudEvent(headers, body));
  const receipt = receiptOf(
    ns,
    await intake.receive(subjects.inbound(ns, withoutVersion(event.type)), { ...event, cairnns: ns, cairnactor: actor }),
  );
  return accepted(
    receipt ?? {
      receiptId: idOf('receipt', ns, event.source, event.id),
      source: event.source,
      id: event.id,
      type: event.type,
      outcome: 'pending',
    },
  );
}
