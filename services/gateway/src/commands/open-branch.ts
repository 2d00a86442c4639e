import { OPEN_BRANCH, openBranchSchema, subjects, type BranchOpenedView, type OpenBranchRequest } from '@cairn/contracts';
import type { Id, Json, Principal } from '@cairn/kernel';
import { accepted, created, type Answer } from '../answer.js';
import { readJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import { OVERRIDE } from '../edge/rights.js';
import { checkedBody } from './checked-body.js';
import type { ControlRunParts } from './control-run.js';
import { askByEvent } from './control-event.js';

export interface OpenBranchParts extends Omit<ControlRunParts, 'actor'> {
  /** Who asks, and what he may. */
  readonly by: Principal;
}

/**
 * `POST runs/{id}/branches`: 201 `{run, branch, epoch, receiptId}`; 404 unknown run or point; 409 `head_moved` with a fresh plan; 422 with the plan
 * and what is to be chosen; 403 for an override by somebody who may not. A request that names no head is for the head as it is now: of two at once one is told that it moved (B-48).
 */
export async function openBranch(
  { by, ...parts }: OpenBranchParts,
  ns: string,
  run: Id,
  eventId: string | undefined,
  body: RawBody | undefined,
): Promise<Answer> {
  const asked = checkedBody(openBranchSchema, readJson(body));
  if (asked.cause === 'override' && !by.roles.includes(OVERRIDE))
    refuse('forbidden', `${by.id} may not open an override: it takes the role ${OVERRIDE}.`, {
      errors: [{ pointer: '/cause', rule: OVERRIDE, says: 'an override sets by hand what a step gives' }],
    });
  return openBranchAsAsked({ ...parts, actor: by.id }, ns, run, eventId, asked);
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
  // With a key of its own a repeat must be the same event, whatever the head is by then.
  const expectHead = asked.expectHead ?? (eventId === undefined && row.revision >= 0 ? `${row.head}@${row.revision}` : undefined);
  const data = { ...asked, ...(expectHead === undefined ? {} : { expectHead }) } as unknown as Json;
  const receipt = await askByEvent(parts, { ns, run, verb: OPEN_BRANCH, subject: subjects.branchOpen(ns, run), eventId, data });
  const branch = receipt.runs?.find((one) => one.run === run)?.branch;
  if (branch === undefined) return accepted(receipt);
  const { state } = await parts.reader.whole(ns, run);
  const opened: BranchOpenedView = { run, branch, epoch: state.ledger.branches.get(branch)?.epoch ?? 1, receiptId: receipt.receiptId };
  return created(opened);
}
