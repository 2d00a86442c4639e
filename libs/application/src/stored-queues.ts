import type { JsonObject, StoredEvent } from '@cairn/kernel';
import { ArtifactFault, type Artifacts, type EventStore } from '@cairn/ports';

/** A queue that a stored definition names: handlers may be given tasks of it. */
export interface StoredQueue {
  readonly ns: string;
  readonly queue: string;
}

interface Applied {
  readonly ns: string;
  readonly definition?: JsonObject;
  readonly definitionRef?: { readonly artifact: string };
}

interface Step {
  readonly task?: { readonly queue: string };
  readonly decide?: { readonly queue: string };
  readonly effect?: { readonly queue: string; readonly reconcile?: string; readonly compensate?: string };
  readonly fallback?: readonly { readonly queue: string }[];
}

/**
 * The queues of every version of every definition that is stored, each once, by namespace and name: a run of an old version goes on
 * under that version. Reads the history up to now. Throws `StoreFault`, `ArtifactFault`.
 */
export async function storedQueues(store: EventStore, artifacts: Pick<Artifacts, 'get'>): Promise<readonly StoredQueue[]> {
  const found = new Map<string, StoredQueue>();
  for (const event of await appliedDefinitions(store)) {
    const { ns, definition, definitionRef } = event.data as unknown as Applied;
    for (const queue of queuesOf(definition ?? (await load(artifacts, definitionRef?.artifact ?? ''))))
      found.set(`${ns} ${queue}`, { ns, queue });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, queue]) => queue);
}

/** The queues that a definition in canonical form names, each once, in its order. */
export function queuesOf(definition: JsonObject): readonly string[] {
  const { steps: path = [], reduced = [] } = definition as {
    readonly steps?: readonly Step[];
    readonly reduced?: readonly { readonly steps: readonly Step[] }[];
  };
  const steps = [...path, ...reduced.flatMap((one) => one.steps)];
  const queues = steps.flatMap(({ task, decide, effect, fallback = [] }) => [
    ...[...[task ?? decide ?? effect ?? []].flat(), ...fallback].map(({ queue }) => queue),
    ...[effect?.reconcile ?? [], effect?.compensate ?? []].flat(),
  ]);
  return [...new Set(queues)];
}

async function appliedDefinitions(store: EventStore): Promise<readonly StoredEvent[]> {
  const applied: StoredEvent[] = [];
  let end = (): Promise<void> => Promise.resolve();
  try {
    await new Promise<void>((resolve, reject) => {
      const tail = store.tail(['DefinitionApplied'], 'start', {
        deliver: (events) => void applied.push(...events.map(({ event }) => event)),
        caughtUp: resolve,
        onFault: reject,
      });
      end = () => tail.stop();
    });
  } finally {
    await end();
  }
  return applied;
}

async function load(artifacts: Pick<Artifacts, 'get'>, artifact: string): Promise<JsonObject> {
  const bytes = await artifacts.get(artifact.slice('sha256:'.length));
  if (bytes === undefined) throw new ArtifactFault('artifact_corrupt', `${artifact} is named by an event and not there`);
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as JsonObject;
}
