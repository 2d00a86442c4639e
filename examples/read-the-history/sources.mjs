// docs/reference/history.md, "Where they lie". Either source gives a run's branches, as lists of events by name.
import { readFileSync } from 'node:fs';
import { checkBundle, checkOwnFields } from './checks.mjs';

/** The branches of a run: `main`, then `b2`, `b3`, … as far as there are any. */
export async function fromEventStore(address, run) {
  const { EventStoreDBClient } = await import('@eventstore/db-client');
  const client = EventStoreDBClient.connectionString(address);
  const branches = {};
  try {
    for (let n = 1, branch = 'main'; ; branch = `b${++n}`) {
      const events = [];
      for await (const { event } of client.readStream(`run-${run}+${branch}`)) events.push(asInHistory(event));
      branches[branch] = events;
    }
  } catch (error) {
    if (error.type !== 'stream-not-found') throw error;
  }
  await client.dispose();
  return branches;
}

function asInHistory({ id, streamId: stream, revision, type, data, metadata: { $correlationId, $causationId, ...metadata } }) {
  checkOwnFields({ id, $correlationId, $causationId }, metadata);
  return { stream, revision: Number(revision), type, version: metadata.schemaVersion, data, metadata };
}

/** The same from a file of `cairn run export`. */
export function fromBundle(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  checkBundle(lines);
  const branches = {};
  for (const { kind, event } of lines.slice(0, -1).map((line) => JSON.parse(line)))
    if (kind === 'event') (branches[event.metadata.branch] ??= []).push(event);
  return branches;
}
