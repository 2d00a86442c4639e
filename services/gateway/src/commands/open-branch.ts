import {
  controlType,
  HTTP_SOURCE,
  OPEN_BRANCH,
  openBranchSchema,
  subjects,
  type CloudEvent,
  type OpenBranchRequest,
} from '@cairn/contracts';
import { idOf, type Id, type Json } from '@cairn/kernel';
import { accepted, created, type Answer } from '../answer.js';
import { readJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { checkedBody } from './checked-body.js';
import type { ControlRunParts } from './control-run.js';
import { receiptOf } from './intake.js';

/**
 * `POST runs/{id}/branches`: 201 `{run, branch, receiptId}`; 404 unknown run or point; 409 `head_moved` with a fresh plan; 422 with the plan
 * and what is to be chosen. A request that names no head is for the head as it is now: of two at once one is told that it moved (B-48).
 */
export async function openBranch(
  parts: ControlRunParts,
  ns: string,
  run: Id,
  eventId: string | undefined,
  body: RawBody | undefined,
): Promise<Answer> {
  return openBranchAsAsked(parts, ns, run, eventId, checkedBody(openBranchSchema, readJson(body)));
}

/** The same for a request that was made here. */
export async function openBranchAsAsked(
  parts: ControlRunParts,
  ns: string,
  run: Id,
  eventId: string | undefined,
  asked: OpenBranchRequest,
): Promise<Answer> {
  const row = await parts.reader.ownRow(ns, run);
  const id = eventId ?? parts.ids.next();
  // With a key of its own a repeat must be the same event, whatever the head is by then.
  const expectHead = asked.expectHead ?? (eventId === undefined && row.revision >= 0 ? `${row.head}@${row.revision}` : undefined);
  const type = controlType(OPEN_BRANCH);
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: HTTP_SOURCE,
    type,
    datacontenttype: 'application/json',
    cairnns: ns,
    cairnrun: run,
    cairnactor: parts.actor,
    data: { ...asked, ...(expectHead === undefined ? {} : { expectHead }) } as unknown as Json,
  };
  const receipt = receiptOf(ns, await parts.intake.receive(subjects.branchOpen(ns, run), event));
  const receiptId = receipt?.receiptId ?? idOf('receipt', ns, HTTP_SOURCE, id);
  const branch = receipt?.runs?.find((one) => one.run === run)?.branch;
  if (receipt === undefined || branch === undefined)
    return accepted(receipt ?? { receiptId, source: HTTP_SOURCE, id, type, outcome: 'pending' });
  return created({ run, branch, receiptId });
}
