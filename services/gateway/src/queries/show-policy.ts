import type { Page, PolicySummary, PolicyView } from '@cairn/contracts';
import type { PolicyApplied } from '@cairn/domain-retry';
import { policyStream, type JsonObject } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import { countParam, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { ReadModels } from '../readmodels/read-models.js';

/** Versions of one policy that a query may name: as many as a stream may have events (I-34). */
const VERSION_MAX = 50_000;

/** `GET policies`: the newest version of each. */
export function listPolicies(models: ReadModels, ns: string, query: Query): Page<PolicySummary> {
  readQuery(query, []);
  return { items: models.policies.of(ns) };
}

/** `GET policies/{name}?version=`: the canonical document of that version, or of the newest. */
export async function showPolicy(store: EventStore, ns: string, name: string, query: Query): Promise<PolicyView> {
  const { version: text } = readQuery(query, ['version']);
  const version = text === undefined ? undefined : countParam('version', text, { min: 1, max: VERSION_MAX, otherwise: 1 });
  const applied = (await store.read(policyStream(ns, name))).filter(({ type }) => type === 'PolicyApplied');
  const event = version === undefined ? applied.at(-1) : applied.find(({ data }) => data['version'] === version);
  if (event === undefined) return refuse('policy_not_found', 'No such policy, or no such version of it, was applied in this namespace.');
  const { hash, policy, version: found } = event.data as unknown as PolicyApplied['data'];
  return { name, version: found, hash, revision: event.revision, appliedAt: event.at, policy: policy as unknown as JsonObject };
}
