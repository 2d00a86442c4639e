import { subjects, type CloudEvent, type RunFact } from '@cairn/contracts';
import type { EventEmitted } from '@cairn/domain-run';
import { parseRunStream, withoutVersion, type Id, type JsonObject, type StoredEvent } from '@cairn/kernel';
import type { OutgoingMessage } from '@cairn/ports';

export { handOverTypes } from '@cairn/contracts';

/**
 * What the bus is told of a stored event: its fact, and for an emit the event itself, which comes in again by the one door.
 * `workflowOf` names the workflow of the run that emitted.
 */
export async function runMessages(event: StoredEvent, workflowOf: (runId: Id) => Promise<string>): Promise<readonly OutgoingMessage[]> {
  const run = parseRunStream(event.stream);
  if (run === undefined) return [];
  const { ns } = event.metadata;
  const fact: RunFact = { ns, ...run, revision: event.revision, eventId: event.eventId, event: event.type, at: event.at };
  const told: OutgoingMessage = {
    subject: subjects.fact(ns, 'run', event.type, run.runId),
    id: event.eventId,
    body: fact as unknown as JsonObject,
  };
  if (event.type !== 'EventEmitted') return [told];
  return [told, emittedMessage(ns, await workflowOf(run.runId), run.runId, event)];
}

/** The CloudEvent of an `EventEmitted`. Source and id are the history's, so however often it is published, it is one event. */
export function emittedMessage(ns: string, workflow: string, runId: Id, event: StoredEvent): OutgoingMessage {
  const { eventId, type, key, data, hops } = event.data as unknown as EventEmitted['data'];
  const body: CloudEvent = {
    specversion: '1.0',
    id: eventId,
    source: `/cairn/${ns}/${workflow}`,
    type,
    time: event.at,
    datacontenttype: 'application/json',
    ...(key === undefined ? {} : { cairnkey: key }),
    cairnrun: runId,
    cairnhops: hops,
    cairncause: event.eventId,
    data,
  };
  return { subject: subjects.inbound(ns, withoutVersion(type)), id: eventId, body: body as unknown as JsonObject };
}
