import { openBranchSchema } from '@cairn/contracts';
import {
  definitionFound,
  definitionWanted,
  forkAt,
  NO_DOCUMENTS,
  planBranch,
  policiesWanted,
  policyFound,
  policyText,
  versionsOf,
  type BranchDocuments,
  type BranchRequest,
  type PinnedDocument,
  type RunStarted,
} from '@cairn/domain-run';
import type { BranchPlanView } from '@cairn/contracts';
import { policyStream, workflowStream, type Id } from '@cairn/kernel';
import type { Artifacts, EventStore } from '@cairn/ports';
import { checkedBody } from '../commands/checked-body.js';
import { readJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from '../queries/run-reader.js';
import type { ReadModels } from '../readmodels/read-models.js';
import { pinnedPlan } from '../queries/show-definition.js';
import { forecastOf } from './forecast.js';

export interface PlanBranchParts {
  readonly reader: RunReader;
  readonly models: ReadModels;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
}

/** `POST runs/{id}/branches:plan`: a pure question. What a branch would keep, run again and take along, and what is to be chosen first. */
export async function showPlan(parts: PlanBranchParts, ns: string, run: Id, body: RawBody | undefined): Promise<BranchPlanView> {
  const asked = checkedBody(openBranchSchema, readJson(body));
  const row = await parts.reader.ownRow(ns, run);
  const whole = await parts.reader.wholeOf(row);
  const { from } = asked;
  const request = { ...asked, from: { ...from, at: String(from.at) } };
  const fork = forkAt(whole.decodedBranches, request.from);
  if (!('point' in fork)) return refuse('fork_not_found', fork.problem.says, { errors: [fork.problem] });
  const { state: head } = whole;
  const parent = whole.stateAt(fork.point.branch, fork.point.revision);
  const plan = await pinnedPlan(parts, ns, parent.started?.definition);
  const documents = parent.started === null ? NO_DOCUMENTS : await documentsFor(parts, parent.started, request);
  const planned = planBranch({ plan, fork: fork.point, parent, head, documents }, request);
  return { ...planned, forecast: await forecastOf(parts, { row, keeps: planned.keeps }) };
}

/** What the request asks for beside what the run has pinned: found here for the answer, and by execution again for the history. */
async function documentsFor(parts: PlanBranchParts, { ns, definition, policies }: RunStarted['data'], request: BranchRequest) {
  const wanted = definitionWanted(request);
  const applied = wanted === undefined ? [] : await parts.store.read(workflowStream(ns, definition.name));
  const pin = wanted && definitionFound(applied, wanted);
  const plan = pin && (await pinnedPlan(parts, ns, pin));
  const pins: PinnedDocument[] = [];
  const missing: string[] = [];
  for (const policy of policiesWanted(request, plan, policies)) {
    const one = policyFound(await parts.store.read(policyStream(ns, policy.name)), policy);
    if (one === undefined) missing.push(policyText(policy));
    else pins.push(one);
  }
  const documents: BranchDocuments = { versions: versionsOf(applied), policies: pins, missing };
  return pin === undefined || plan === undefined ? documents : { ...documents, definition: { pin, plan } };
}
