import { transact } from '@cairn/application';
import type { ImportBundleAnswer, ImportBundleMessage } from '@cairn/contracts';
import { evolveImport, noBundle, type BundleImported } from '@cairn/domain-schedule';
import { importBundle as decide } from '@cairn/domain-schedule/decider';
import { bundleStream, instantOf, isId, runStream } from '@cairn/kernel';
import type { Artifacts, Clock, EventStore } from '@cairn/ports';

export interface ImportBundle extends ImportBundleMessage {
  /** What the append will carry as its cause. */
  readonly id: string;
  readonly ns: string;
}

interface Ports {
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
}

/**
 * Records that a run of another store is shown here, once its bundle is durable. Refused for a run that this store has itself: that one
 * acts, and a shadow of it would only be mistaken for it. Throws faults of the store and the artifacts.
 */
export async function importBundle(ports: Ports, command: ImportBundle): Promise<ImportBundleAnswer> {
  const { ns, run, bundle, lines, hash, summary, replaces } = command;
  if (!isId(run)) return rejected('invalid_id', 'a run is named by its id');
  if ((await ports.store.read(runStream(run, 'main'), 0, 0)).length > 0)
    return rejected('run_exists', 'This store has the run itself; a bundle of it is for other stores.');
  if ((await ports.artifacts.get(bundle.artifact.slice('sha256:'.length))) === undefined)
    return rejected('artifact_not_found', 'the bundle is not in the artifact store');
  const imported: BundleImported['data'] = { runId: run, ns, bundle, lines, hash, run: summary };
  const outcome = await transact(ports.store, {
    stream: bundleStream(run),
    initial: noBundle,
    evolve: evolveImport,
    decide: (state) => decide(state, imported, replaces),
    context: { ns, at: instantOf(ports.clock.now()), actor: command.actor, causationId: command.id },
  });
  if (outcome.kind === 'rejected') return outcome;
  if (outcome.kind !== 'accepted') return { kind: 'unchanged' };
  return { kind: outcome.head.expected === 0 ? 'imported' : 'extended' };
}

const rejected = (code: string, detail: string): ImportBundleAnswer => ({ kind: 'rejected', rejection: { code, detail } });
