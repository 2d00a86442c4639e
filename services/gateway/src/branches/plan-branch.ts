import { openBranchSchema } from '@cairn/contracts';
import { planOf, type Definition } from '@cairn/domain-definition';
import { forkAt, planBranch } from '@cairn/domain-run';
import type { BranchPlanView } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Artifacts, EventStore } from '@cairn/ports';
import { checkedBody } from '../commands/checked-body.js';
import { readJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from '../queries/run-reader.js';
import { showDefinition } from '../queries/show-definition.js';

export interface PlanBranchParts {
  readonly reader: RunReader;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
}

/** `POST runs/{id}/branches:plan`: a pure question. What a branch would keep, run again and take along, and what is to be chosen first. */
export async function showPlan(parts: PlanBranchParts, ns: string, run: Id, body: RawBody | undefined): Promise<BranchPlanView> {
  const asked = checkedBody(openBranchSchema, readJson(body));
  await parts.reader.ownRow(ns, run);
  const whole = await parts.reader.whole(ns, run);
  const { from } = asked;
  const request = { ...asked, from: { ...from, at: String(from.at) } };
  const fork = forkAt(whole.decodedBranches, request.from);
  if (!('point' in fork)) return refuse('fork_not_found', fork.problem.says, { errors: [fork.problem] });
  const { state: head } = whole;
  const pinned = head.started?.definition;
  const { definition } = await showDefinition(parts, ns, pinned?.name ?? '', { version: String(pinned?.version) });
  const plan = planOf(definition as unknown as Definition);
  return planBranch({ plan, fork: fork.point, parent: whole.stateAt(fork.point.branch, fork.point.revision), head }, request);
}
