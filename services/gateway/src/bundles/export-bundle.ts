import { BUNDLE_FORMAT, BundleWriter, storedEventView, type BundleContent, type BundleEventKind } from '@cairn/contracts';
import type { PinnedDocument, RunStarted } from '@cairn/domain-run';
import type { Id, StoredEvent } from '@cairn/kernel';
import { artifactsNamed, collectHistory, type RunHistory } from '@cairn/oracle';
import type { Artifacts, EventStore } from '@cairn/ports';
import { readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import { getArtifact } from '../queries/get-artifact.js';
import type { RunReader } from '../queries/run-reader.js';
import type { ImportedRuns } from './imported-runs.js';

export interface ExportBundleParts {
  readonly reader: RunReader;
  readonly imported: ImportedRuns;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
}

/**
 * `GET runs/{id}/bundle`: everything that is needed to fold the run and to verify it, as a bundle (U-19). The same history gives the same
 * bytes, and an imported run the bytes that were imported. What is missing or damaged is refused before anything is sent; a bundle whose
 * last line is not the end has broken off.
 */
export async function exportBundle(
  parts: ExportBundleParts,
  ns: string,
  run: Id,
  query: Query,
): Promise<AsyncGenerator<string | Uint8Array>> {
  readQuery(query, []);
  const { imported } = await parts.reader.row(ns, run);
  if (imported !== undefined) return whole(await parts.imported.bytes(imported));
  const history = await collectHistory(parts.store, run);
  if (history === undefined) return refuse('run_not_found', 'There is no such run in this namespace.');
  const lines = linesOf(history);
  const artifacts = [...new Set(lines.flatMap(({ event }) => artifactsNamed(event.data)))].sort();
  for (const sha256 of artifacts) await getArtifact(parts.artifacts, sha256);
  return text(parts.artifacts, history, lines, artifacts);
}

/** Read as a stream, like the other. */
async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* text(
  store: Artifacts,
  { runId, branches }: RunHistory,
  lines: readonly Line[],
  artifacts: readonly string[],
): AsyncGenerator<string> {
  const writer = new BundleWriter();
  const { ns, workflow } = startedOf(branches);
  yield writer.line({ kind: 'head', bundle: BUNDLE_FORMAT, ns, run: runId, workflow });
  for (const { kind, event } of lines) yield writer.line({ kind, event: storedEventView(event) });
  for (const sha256 of artifacts) {
    const bytes = await getArtifact(store, sha256);
    const content: BundleContent = {
      kind: 'artifact',
      artifact: `sha256:${sha256}`,
      bytes: bytes.length,
      base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
    };
    yield writer.line(content);
  }
  yield writer.end();
}

interface Line {
  readonly kind: BundleEventKind;
  readonly event: StoredEvent;
}

/** What the run has pinned of its definition and its policies, the receipts that it names, the reviews that it asked for, and its branches. */
function linesOf({
  branches,
  definitions = [],
  policies = [],
  inbox = [],
  reviews = new Map<Id, readonly StoredEvent[]>(),
}: RunHistory): Line[] {
  const { ns } = startedOf(branches);
  const pins = pinsOf(branches);
  // Each once, in the order of its stream: a branch may go on by another version, and by policies that the run had not pinned.
  const pinned = (kind: 'definition' | 'policy', category: string, events: readonly StoredEvent[]): Line[] =>
    events
      .filter(({ stream, revision }) => pins[kind].some((pin) => stream === `${category}-${ns}+${pin.name}` && revision === pin.revision))
      .map((event) => ({ kind, event }));
  return [
    ...pinned('definition', 'workflow', definitions),
    ...pinned('policy', 'policy', policies),
    ...inbox.map((event) => ({ kind: 'receipt' as const, event })),
    ...[...reviews.values()].flat().map((event) => ({ kind: 'review' as const, event })),
    ...[...branches.values()].flat().map((event) => ({ kind: 'event' as const, event })),
  ];
}

/** What the run and its branches run by. */
function pinsOf(branches: RunHistory['branches']): Readonly<Record<'definition' | 'policy', readonly PinnedDocument[]>> {
  const pinning = [...branches.values()].flatMap(([first]) => (first === undefined ? [] : [first]));
  const data = pinning.map((event) => event.data as unknown as Partial<Pick<RunStarted['data'], 'definition' | 'policies'>>);
  return { definition: data.flatMap(({ definition }) => definition ?? []), policy: data.flatMap(({ policies }) => policies ?? []) };
}

function startedOf(branches: RunHistory['branches']): RunStarted['data'] {
  return branches.get('main')?.[0]?.data as unknown as RunStarted['data'];
}
