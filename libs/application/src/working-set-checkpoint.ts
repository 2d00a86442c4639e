import type { Id } from '@cairn/kernel';
import type { EventStore, NamedArtifacts, Position } from '@cairn/ports';
import type { WorkingSetFold } from './working-set-fold.js';

/** Where in the order of all commits a checkpoint stands. */
export interface CheckpointPlace {
  /** Of the last event that was folded. */
  readonly position: Position;
  /** Of the event folded before it: a tail opened here must give that last event first, or the store is another one. */
  readonly before: Position | 'start';
  readonly eventId: Id;
}

interface CheckpointRecord extends CheckpointPlace {
  readonly types: readonly string[];
  readonly foldVersion: number;
  readonly artifact: string;
}

type Described = Pick<WorkingSetFold, 'name' | 'types' | 'foldVersion'>;
type Places = { readonly store: EventStore; readonly disposables: NamedArtifacts };

/** Bookmark of the store and name in the disposables. */
const placeName = (name: string): string => `working-set/${name}`;

/** The checkpoint of this fold, or `undefined`: there is none, or types, fold version or artifact are not those it was made with. */
export async function readCheckpoint(
  { store, disposables }: Places,
  fold: Described,
): Promise<{ place: CheckpointPlace; text: string } | undefined> {
  const record = parse(await store.readBookmark(placeName(fold.name)));
  if (record === undefined || record.foldVersion !== fold.foldVersion || !equalLists(record.types, fold.types)) return undefined;
  if ((await disposables.getName(placeName(fold.name))) !== record.artifact) return undefined;
  const bytes = await disposables.get(record.artifact).catch(() => undefined); // Lost or corrupt: disposable, so as good as absent.
  if (bytes === undefined) return undefined;
  const { position, before, eventId } = record;
  return { place: { position, before, eventId }, text: Buffer.from(bytes).toString('utf8') };
}

/** Artifact first, bookmark last: a crash in between leaves a name that no bookmark agrees with. */
export async function writeCheckpoint(
  { store, disposables }: Places,
  fold: Described,
  place: CheckpointPlace,
  text: string,
): Promise<void> {
  const artifact = await disposables.put(Buffer.from(text, 'utf8'));
  await disposables.setName(placeName(fold.name), artifact);
  const record: CheckpointRecord = { types: fold.types, foldVersion: fold.foldVersion, ...place, artifact };
  await store.writeBookmark(placeName(fold.name), JSON.stringify(record));
}

/** From here on there is none. Its artifact stays where it is, named by nobody that counts. */
export async function dropCheckpoint(store: EventStore, fold: Described): Promise<void> {
  await store.writeBookmark(placeName(fold.name), '');
}

function parse(text: string | undefined): CheckpointRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as Partial<CheckpointRecord>;
    const whole =
      Array.isArray(record.types) &&
      [record.position, record.before, record.eventId, record.artifact].every((field) => typeof field === 'string');
    return whole ? (record as CheckpointRecord) : undefined;
  } catch {
    return undefined;
  }
}

const equalLists = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((item, i) => item === b[i]);
