import { runControlSchema, subjects, type RunControl } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import { accepted, type Answer } from '../answer.js';
import { readOptionalJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from '../queries/run-reader.js';
import { checkedBody } from './checked-body.js';
import { askByEvent, type Asking } from './control-event.js';

export interface ControlRunParts extends Asking {
  readonly reader: RunReader;
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
  const data = reason === undefined ? {} : { reason };
  const receipt = await askByEvent(parts, { ns, run, verb, subject: subjects.runControl(ns, run, verb), eventId, data });
  if (receipt.outcome === 'late')
    refuse('run_ended', 'The run has ended; nothing can reach it any more.', { receiptId: receipt.receiptId });
  return accepted(receipt);
}
