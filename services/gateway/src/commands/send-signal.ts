import { HTTP_ACTOR, HTTP_SOURCE, SIGNAL_TYPE, signalSchema, subjects, type CloudEvent } from '@cairn/contracts';
import { idOf, type Id } from '@cairn/kernel';
import type { Ids } from '@cairn/ports';
import { accepted, type Answer } from '../answer.js';
import { readOptionalJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from '../queries/run-reader.js';
import { checkedBody } from './checked-body.js';
import { receiptOf, type Intake } from './intake.js';

export interface SendSignalParts {
  readonly intake: Intake;
  readonly ids: Ids;
  readonly reader: RunReader;
}

/**
 * `POST runs/{id}/signals/{name}`: 202 with the receipt, `kept` if the run does not wait for it yet; 404 unknown run; 409 ended (B-16).
 * A repeat with the same key is the same event, and gets its receipt whatever the run did since: it may have ended by this very signal (F-2).
 */
export async function sendSignal(
  parts: SendSignalParts,
  ns: string,
  run: Id,
  name: string,
  eventId: string | undefined,
  body: RawBody | undefined,
): Promise<Answer> {
  const { data } = checkedBody(signalSchema, readOptionalJson(body));
  const row = await parts.reader.ownRow(ns, run);
  if (eventId === undefined && row.endRevision !== undefined)
    refuse('run_ended', 'The run has ended; nothing can reach it any more.', { instance: `/v1/${ns}/runs/${run}` });
  const id = eventId ?? parts.ids.next();
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: HTTP_SOURCE,
    type: SIGNAL_TYPE,
    datacontenttype: 'application/json',
    cairnns: ns,
    cairnrun: run,
    cairnactor: HTTP_ACTOR,
    ...(data === undefined ? {} : { data }),
  };
  const receipt = receiptOf(ns, await parts.intake.receive(subjects.signal(ns, run, name), event));
  if (receipt?.outcome === 'late')
    refuse('run_ended', 'The run has ended; nothing can reach it any more.', { receiptId: receipt.receiptId });
  return accepted(
    receipt ?? { receiptId: idOf('receipt', ns, HTTP_SOURCE, id), source: HTTP_SOURCE, id, type: SIGNAL_TYPE, outcome: 'pending' },
  );
}
