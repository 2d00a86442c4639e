// docs/reference/history.md: "In EventStoreDB" and "A bundle". Either gives a run's branches, as lists of events by name.
import { readFileSync } from 'node:fs';
import { canon, crockford, sha256 } from './encoding.mjs';

/** The branches of a run: `main`, then `b2`, `b3`, … as far as there are any. */
export async function fromEventStore(address, run) {
  const { EventStoreDBClient } = await import('@eventstore/db-client');
  const client = EventStoreDBClient.connectionString(address);
  const branches = {};
  for (let n = 1, branch = 'main'; ; branch = `b${++n}`) {
    const events = [];
    const stream = `run-${run}+${branch}`;
    try {
      for await (const { event } of client.readStream(stream)) {
        const { $correlationId, $causationId, ...metadata } = event.metadata;
        if ($correlationId !== metadata.correlationId || $causationId !== metadata.causationId || crockford(event.id) !== metadata.eventId)
          throw new Error(`${stream}@${event.revision}: EventStoreDB's own fields are not those of the event`);
        events.push({
          stream,
          revision: Number(event.revision),
          type: event.type,
          version: metadata.schemaVersion,
          data: event.data,
          metadata,
        });
      }
    } catch (error) {
      if (error.type !== 'stream-not-found') throw error;
      await client.dispose();
      return branches;
    }
    branches[branch] = events;
  }
}

/** The same from a file of `cairn run export`. Throws at the first line that is not as it was written. */
export function fromBundle(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  if (lines.pop() !== '') throw new Error('the bundle is cut off in the midst of a line');
  const branches = {};
  let prev = '';
  for (const [i, text] of lines.entries()) {
    const { hash, ...line } = JSON.parse(text);
    const isLast = i === lines.length - 1;
    if (canon({ ...line, hash }) !== text || digestIs(line) !== hash || line.prev !== prev || (line.kind === 'end') !== isLast)
      throw new Error(`line ${i + 1}: it was changed, moved, or is not the end`);
    prev = hash;
    if (line.kind === 'event') (branches[line.event.metadata.branch] ??= []).push(line.event);
  }
  return branches;
}

const digestIs = (line) => sha256(canon(line));
