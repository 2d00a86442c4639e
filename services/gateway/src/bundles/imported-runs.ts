import { Generations } from '@cairn/application';
import { LineSplitter } from '@cairn/contracts';
import type { BundleImported } from '@cairn/domain-schedule';
import { bundleStream, type Id } from '@cairn/kernel';
import { BundleCheck, type BundleVerdict, type RunHistory } from '@cairn/oracle';
import { ArtifactFault, type Artifacts, type EventStore } from '@cairn/ports';

/** Bundles whose events are kept in memory: who looks at one imports or reads it again soon. */
const HELD_MAX = 4;
/** Bytes that are read before others get their turn: some 10 ms of hashing and parsing. */
const TURN_BYTES = 1_048_576;

/** A run that was imported, as the newest import tells it. */
export type Imported = BundleImported['data'];

/** Runs of other stores: what was imported of them, read from the store and the artifacts alone. */
export class ImportedRuns {
  private readonly held = new Generations<string, RunHistory>(HELD_MAX);

  constructor(private readonly parts: { readonly store: EventStore; readonly artifacts: Artifacts }) {}

  /** The newest import of a run into a namespace, however far lists lag behind. */
  async find(ns: string, run: Id): Promise<Imported | undefined> {
    const newest = (await this.parts.store.read(bundleStream(run))).at(-1)?.data as unknown as Imported | undefined;
    return newest?.ns === ns ? newest : undefined;
  }

  /** The bundle's bytes. Throws `artifact_corrupt` where they are not what was imported, or not there. */
  async bytes({ bundle }: Imported): Promise<Uint8Array> {
    const bytes = await this.parts.artifacts.get(bundle.artifact.slice('sha256:'.length));
    if (bytes === undefined) throw new ArtifactFault('artifact_corrupt', `${bundle.artifact} was imported as a bundle and is not there`);
    return bytes;
  }

  /** What the bundle holds of the run. It was verified when it was imported, and its bytes are those. */
  async history(imported: Imported): Promise<RunHistory> {
    const { artifact } = imported.bundle;
    const known = this.held.get(artifact);
    if (known !== undefined) return known;
    const { history } = await checkBundle(await this.bytes(imported));
    if (history === undefined) throw new ArtifactFault('artifact_corrupt', `${artifact} was imported as a bundle and is none`);
    this.held.set(artifact, history);
    return history;
  }
}

/** Verifies a whole bundle, and lets others have their turn in between. */
export async function checkBundle(bytes: Uint8Array, onArtifact?: (bytes: Uint8Array) => void): Promise<BundleVerdict> {
  const check = new BundleCheck(onArtifact);
  const splitter = new LineSplitter();
  for (let start = 0; start < bytes.length; start += TURN_BYTES) {
    for (const line of splitter.push(bytes.subarray(start, start + TURN_BYTES))) check.line(line);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return check.finish(splitter.rest());
}
