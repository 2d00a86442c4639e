import {
  abandonBranchSchema,
  problemOf,
  subjects,
  type BranchAbandonedView,
  type CommandAnswer,
  type CommandMessage,
} from '@cairn/contracts';
import { partitionOf, type Id, type JsonObject } from '@cairn/kernel';
import { accepted, ok, type Answer } from '../answer.js';
import { readJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse, Refused } from '../edge/refused.js';
import { checkedBody } from './checked-body.js';
import type { ControlRunParts } from './control-run.js';

/**
 * `POST runs/{id}/branches/{b}:abandon`: gives up a shadow. 200 `{run, branch, outcome}`, also where it was given up before; 404 no such run
 * or branch; 409 for one that acts, and for a shadow that has ended otherwise.
 */
export async function abandonBranch(
  parts: ControlRunParts,
  ns: string,
  run: Id,
  branch: string,
  body: RawBody | undefined,
): Promise<Answer> {
  const { reason } = checkedBody(abandonBranchSchema, readJson(body));
  const row = await parts.reader.ownRow(ns, run);
  const whole = await parts.reader.wholeOf(row);
  if (!whole.branches.has(branch))
    refuse('branch_not_found', `The run has no branch ${branch}; it has ${[...whole.branches.keys()].join(', ')}.`);
  const id = parts.ids.next();
  const data = { branch, reason };
  const message: CommandMessage = { id, ns, runId: run, type: 'AbandonBranch', actor: parts.actor, causationId: id, data };
  const subject = subjects.executionCommand(ns, partitionOf(run), message.type);
  const answer = (await parts.intake.ask(subject, message as unknown as JsonObject)) as unknown as CommandAnswer | undefined;
  if (answer === undefined) return accepted({ run, branch, outcome: 'pending' });
  if (answer.kind === 'rejected') throw new Refused(problemOf(answer.rejection.code, answer.rejection.detail));
  if (answer.kind === 'nothing' && answer.because !== 'duplicate')
    refuse('branch_ended', `Shadow ${branch} has ended: there is nothing left of it to give up.`);
  const view: BranchAbandonedView = { run, branch, outcome: 'abandoned' };
  return ok(view);
}
