import { controlType, HTTP_SOURCE, runControlSchema, subjects, type CloudEvent, type RunControl } from '@cairn/contracts';
import { idOf, type Id } from '@cairn/kernel';
import type { Ids } from '@cairn/ports';
import { accepted, type Answer } from '../answer.js';
import { readOptionalJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from '../queries/run-reader.js';
import { checkedBody } from './checked-body.js';
import { receiptOf, type Intake } from './intake.js';

export interface ControlRunParts {
  readonly intake: Intake;
  readonly ids: Ids;
  readonly reader: RunReader;
  /** Who asks: what the history says did it. */
  readonly actor: string;
}

/**
 * `POST runs/{id}:cancel`, `:pause`, `:unpause`: 202 with the receipt, also where it was so already (B-46); 404 unknown run; 409 for a
 * run that ended otherwise. Whether it has ended is said by the receipt: a repeat with the same key is the same event whatever the run
 * did since.
 */
export async function controlRun(
  parts: ControlRunParts,
  ns: string,
  run: Id,
  verb: RunControl,
  eventId: string | undefined,
  body: RawBody | undefined,
): Promise<Answer> {
  const { reason } = checkedBody(runControlSchema, readOptionalJson(body));
  await parts.reader.ownRow(ns, run);
  const id = eventId ?? parts.ids.next();
  const type = controlType(verb);
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: HTTP_SOURCE,
    type,
    datacontenttype: 'application/json',
    cairnns: ns,
    cairnrun: run,
    cairnactor: parts.actor,
    data: reason === undefined ? {} : { reason },
  };
  const receipt = receiptOf(ns, await parts.intake.receive(subjects.runControl(ns, run, verb), event));
  if (receipt?.outcome === 'late')
    refuse('run_ended', 'The run has ended; nothing can reach it any more.', { receiptId: receipt.receiptId });
  return accepted(receipt ?? { receiptId: idOf('receipt', ns, HTTP_SOURCE, id), source: HTTP_SOURCE, id, type, outcome: 'pending' });
}
