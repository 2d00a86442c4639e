import {
  BUNDLE_MEDIA_TYPE,
  HTTP_ACTOR,
  problemOf,
  subjects,
  type ImportBundleAnswer,
  type ImportBundleMessage,
  type ImportView,
} from '@cairn/contracts';
import { prefixedSha256, type FieldError, type Id, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { goesOn, type BundleFinding } from '@cairn/oracle';
import type { Artifacts } from '@cairn/ports';
import { accepted, type Answer } from '../answer.js';
import type { Intake } from '../commands/intake.js';
import type { RawBody } from '../edge/read-body.js';
import { Refused, refuse } from '../edge/refused.js';
import { RunRow } from '../readmodels/run-row.js';
import { checkBundle, type ImportedRuns } from './imported-runs.js';

export interface ImportBundleParts {
  readonly intake: Intake;
  readonly imported: ImportedRuns;
  readonly artifacts: Artifacts;
}

/**
 * `POST bundles`: a bundle whose run is shown from then on, and acts on nothing. Verified before anything is stored: 422 with the lines and
 * rules that are broken. 201 imported, 200 where it was there, or goes on from what was there; 409 for a run that the store has itself,
 * or a bundle that tells another story.
 */
export async function importBundle(parts: ImportBundleParts, ns: string, body: RawBody | undefined): Promise<Answer> {
  const { imported, artifacts } = parts;
  if (body === undefined || body.bytes.length === 0) return refuse('invalid_body', 'The body is empty: a bundle has at least three lines.');
  const [type] = (body.contentType ?? '').split(';', 1);
  if (type?.trim().toLowerCase() !== BUNDLE_MEDIA_TYPE) refuse('media_type_unsupported', `The body must be ${BUNDLE_MEDIA_TYPE}.`);
  const named: Uint8Array[] = [];
  const { head, history, findings, lines, hash } = await checkBundle(body.bytes, (bytes) => void named.push(bytes));
  if (head === undefined || history === undefined)
    return refuse('bundle_invalid', 'The bundle is not whole; nothing of it was stored.', { errors: findings.map(errorOf) });
  if (head.ns !== ns) {
    const errors = [{ pointer: '/lines/1/ns', rule: 'namespace', says: 'a bundle is imported into the namespace that its run is of' }];
    refuse('bundle_invalid', 'The run is of another namespace.', { errors });
  }

  const before = await imported.find(ns, head.run);
  const extends_ = before !== undefined && goesOn((await imported.history(before)).branches, history.branches);
  for (const bytes of named) await artifacts.put(bytes);
  const artifact = prefixedSha256(await artifacts.put(body.bytes));
  const row = rowOf(head.run, history.branches);
  const message: ImportBundleMessage = {
    actor: HTTP_ACTOR,
    run: head.run,
    bundle: { artifact, bytes: body.bytes.length, mediaType: BUNDLE_MEDIA_TYPE },
    lines,
    hash,
    summary: row.summary(),
    ...(extends_ ? { replaces: before.bundle.artifact } : {}),
  };
  const answer = (await parts.intake.ask(subjects.command(ns, 'scheduling', 'import-bundle'), message as unknown as JsonObject)) as
    ImportBundleAnswer | undefined;
  const view: Omit<ImportView, 'outcome'> = { run: head.run, bundle: artifact, lines, hash };
  if (answer === undefined) return accepted({ ...view, outcome: 'pending' });
  if (answer.kind === 'rejected') {
    const { code, detail, errors } = answer.rejection;
    throw new Refused(problemOf(code, detail, errors === undefined ? {} : { errors }));
  }
  return { status: answer.kind === 'imported' ? 201 : 200, body: { ...view, outcome: answer.kind } };
}

/** The run's line as the bundle leaves it, whatever order its streams stand in. */
function rowOf(run: Id, branches: ReadonlyMap<string, readonly StoredEvent[]>): RunRow {
  const row = new RunRow(run);
  for (let head: string | undefined; head !== row.head;) {
    ({ head } = row);
    for (const event of branches.get(head) ?? []) row.apply(event);
  }
  return row;
}

/** A line by its number from 1. */
const errorOf = ({ line, rule, says, branch, revision }: BundleFinding): FieldError => ({
  pointer: `/lines/${line}`,
  rule,
  says: branch === undefined ? says : `${branch}@${revision}: ${says}`,
});
