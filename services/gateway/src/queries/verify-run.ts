import type { VerifyView } from '@cairn/contracts';
import { parseRunStream, type Id } from '@cairn/kernel';
import { artifactsNamed, collectHistory, defaultLimits, verifyRun, type RunHistory, type Violation } from '@cairn/oracle';
import { ArtifactFault, StoreFault, type Artifacts, type Clock, type EventStore, type Metrics } from '@cairn/ports';
import { checkBundle, type Imported, type ImportedRuns } from '../bundles/imported-runs.js';
import { invalidParameter, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from './run-reader.js';

export interface VerifyRunParts {
  readonly reader: RunReader;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly imported: ImportedRuns;
}

/**
 * `GET runs/{id}/verify?when=live|quiescent`: every invariant that the run breaks (`reliability.md` §2), and every artifact that its
 * events name and that is not there as it was. A stream that cannot be read at all is a violation too, and no reason to try again.
 */
export async function showVerification(parts: VerifyRunParts, ns: string, run: Id, query: Query): Promise<VerifyView> {
  const view = await verification(parts, ns, run, query);
  for (const { invariant } of view.violations) parts.metrics.count('cairn_oracle_violations_total', { invariant });
  return view;
}

async function verification(parts: VerifyRunParts, ns: string, run: Id, query: Query): Promise<VerifyView> {
  const { when = 'live' } = readQuery(query, ['when']);
  if (when !== 'live' && when !== 'quiescent') invalidParameter('when', 'must be live or quiescent');
  try {
    const { imported } = await parts.reader.row(ns, run);
    if (imported !== undefined) return { run, violations: await ofBundle(parts.imported, imported) };
    const history = await collectHistory(parts.store, run);
    if (history === undefined) return refuse('run_not_found', 'There is no such run in this namespace.');
    const violations = verifyRun({ ...history, readAt: parts.clock.now() }, defaultLimits, when);
    return { run, violations: [...violations, ...(await missingArtifacts(parts.artifacts, history))] };
  } catch (error) {
    if (error instanceof StoreFault && error.code === 'stream_corrupt') return { run, violations: [unreadable(error)] };
    throw error;
  }
}

/** A run that was imported is verified as its bundle is: what is not whole there is named by its line. */
async function ofBundle(bundles: ImportedRuns, imported: Imported): Promise<VerifyView['violations']> {
  const { findings } = await checkBundle(await bundles.bytes(imported));
  return findings.map(({ line, rule, says, branch = 'main', revision = 0 }) => ({
    invariant: rule,
    branch,
    revision,
    says: `line ${line} of the bundle: ${says}`,
  }));
}

/** I-1: what the store says of a stream that it refuses to read, at the revision that it names. */
function unreadable({ message }: StoreFault): Violation {
  const [, stream = '', revision = '0'] = /^(\S+)@(\d+):/.exec(message) ?? [];
  return { invariant: 'I-1', branch: parseRunStream(stream)?.branch ?? 'main', revision: Number(revision), says: message };
}

/** I-34: what stands in an event by reference alone is durable before the event is, and stays what it was. */
async function missingArtifacts(artifacts: Artifacts, { branches }: RunHistory): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [branch, events] of branches) {
    for (const { revision, data } of events) {
      for (const sha256 of artifactsNamed(data)) {
        const says = await faultOf(artifacts, sha256);
        if (says !== undefined) violations.push({ invariant: 'I-34', branch, revision, says });
      }
    }
  }
  return violations;
}

async function faultOf(artifacts: Artifacts, sha256: string): Promise<string | undefined> {
  try {
    return (await artifacts.get(sha256)) === undefined ? `artifact ${sha256} is not there` : undefined;
  } catch (error) {
    if (error instanceof ArtifactFault && error.code === 'artifact_corrupt') return error.message;
    throw error;
  }
}
