import type { DefinitionSummary, DefinitionView, Page } from '@cairn/contracts';
import { planOf, type Definition, type Plan } from '@cairn/domain-definition';
import type { PinnedDocument } from '@cairn/domain-run';
import type { DefinitionApplied } from '@cairn/domain-schedule';
import { isPlainText, workflowStream, type JsonObject } from '@cairn/kernel';
import type { Artifacts, EventStore } from '@cairn/ports';
import { invalidParameter, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { ReadModels } from '../readmodels/read-models.js';

/** Characters of a version: semver with some label. */
const VERSION_MAX = 128;

/** `GET definitions`: the newest version of each. */
export function listDefinitions(models: ReadModels, ns: string, query: Query): Page<DefinitionSummary> {
  readQuery(query, []);
  return { items: models.definitionsOf(ns) };
}

/** `GET definitions/{name}?version=`: the canonical document of that version, or of the one that was applied last. */
export async function showDefinition(
  parts: { readonly store: EventStore; readonly artifacts: Artifacts },
  ns: string,
  name: string,
  query: Query,
): Promise<DefinitionView> {
  const { version } = readQuery(query, ['version']);
  if (version !== undefined && !isPlainText(version, VERSION_MAX)) invalidParameter('version', 'must be a version');
  const events = await parts.store.read(workflowStream(ns, name));
  const applied = events.findLast(
    ({ type, data }) => type === 'DefinitionApplied' && (version === undefined || data['version'] === version),
  );
  if (applied === undefined)
    return refuse('definition_not_found', 'No such definition, or no such version of it, was applied in this namespace.');
  const data = applied.data as unknown as DefinitionApplied['data'];
  return { name, version: data.version, hash: data.hash, appliedAt: applied.at, definition: await documentOf(parts.artifacts, data) };
}

/** The plan by which a run goes on: of the definition that it has pinned. */
export async function pinnedPlan(
  parts: { readonly store: EventStore; readonly artifacts: Artifacts },
  ns: string,
  pin: PinnedDocument | undefined,
): Promise<Plan> {
  const { definition } = await showDefinition(parts, ns, pin?.name ?? '', { version: String(pin?.version) });
  return planOf(definition as unknown as Definition);
}

/** The canonical document of an applied version, fetched if it is held by reference. */
export async function documentOf(artifacts: Artifacts, { definition, definitionRef }: DefinitionApplied['data']): Promise<JsonObject> {
  if (definition !== undefined) return definition;
  const bytes = definitionRef === undefined ? undefined : await artifacts.get(definitionRef.artifact.replace(/^sha256:/, ''));
  if (bytes === undefined) return refuse('definition_not_found', 'The document of that version is missing in the artifact store.');
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as JsonObject;
}
