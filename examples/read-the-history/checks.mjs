// docs/reference/history.md: what ids, digests and chains must be. No state follows from any of it; a reader that trusts its source needs none.
import { createHash } from 'node:crypto';
import { canon, digestOf, sha256 } from './encoding.mjs';

/** UUIDv5 of canon([kind, …]) in the one name space. */
export function id(...parts) {
  const nameSpace = Buffer.from('6f1d3c52a9e84b5c9d07c41b5e2f8a63', 'hex');
  const uuid = createHash('sha1').update(nameSpace).update(canon(parts)).digest().subarray(0, 16);
  uuid[6] = (uuid[6] & 0x0f) | 0x50;
  uuid[8] = (uuid[8] & 0x3f) | 0x80;
  return crockford(uuid.toString('hex'));
}

/** The 128 bits of a UUID, with or without dashes, as an id. */
function crockford(uuid) {
  const bits = BigInt(`0x${uuid.replaceAll('-', '')}`);
  return Array.from({ length: 26 }, (_, i) => '0123456789abcdefghjkmnpqrstvwxyz'[Number((bits >> BigInt(5 * (25 - i))) & 31n)]).join('');
}

/** "In EventStoreDB": its own id and `$` fields. Throws where they are not those of the event. */
export function checkOwnFields(own, { eventId, correlationId, causationId }) {
  if (canon([crockford(own.id), own.$correlationId, own.$causationId]) !== canon([eventId, correlationId, causationId]))
    throw new Error(`${eventId}: EventStoreDB's own fields are not those of the event`);
}

/** "A bundle". Throws at the first line that is not as it was written. */
export function checkBundle([...lines]) {
  if (lines.pop() !== '') throw new Error('the bundle is cut off in the midst of a line');
  let prev = '';
  for (const [i, text] of lines.entries()) {
    const { hash, ...line } = JSON.parse(text);
    const isLast = i === lines.length - 1;
    if (canon({ ...line, hash }) !== text || digestOf(line) !== hash || line.prev !== prev || (line.kind === 'end') !== isLast)
      throw new Error(`line ${i + 1}: it was changed, moved, or is not the end`);
    prev = hash;
  }
}

/** The appends that a whole stream was written in. */
export function appendsOf(events) {
  const appends = [];
  for (const event of events) {
    if (event.metadata.appendFirst === event.revision) appends.push([]);
    appends.at(-1)?.push(event);
  }
  return appends;
}

/** "An event and its append": everything that the ids, digests and the chain of a whole stream break; empty for a good one. */
export function faultsOfStream(events, branches = {}) {
  const faults = [];
  const { parent } = events[0]?.type === 'BranchOpened' ? events[0].data : {};
  let prevHash = branches[parent?.branch]?.[parent.revision]?.metadata.hash ?? '';
  let revision = 0;
  for (const append of appendsOf(events)) {
    const { at, actor, causationId } = append[0].metadata;
    const digests = append.map(({ type, version, data }) => digestOf({ actor, at, causationId, data, type, version }));
    for (const [i, { stream, version, metadata }] of append.entries()) {
      const told = { ...metadata };
      delete told.traceparent; // Where somebody traced: the only member that no rule gives.
      const [, runId, branch] = /^run-(.+)\+(.+)$/.exec(stream) ?? [];
      const eventId = id('event', stream, revision, digestOf(digests));
      const hash = sha256(prevHash + eventId + digests[i]);
      const correlationId = runId ?? stream.slice(stream.indexOf('-') + 1);
      const ids = { eventId, ns: told.ns, correlationId, ...(runId === undefined ? {} : { runId, branch }) };
      const place = { revision, appendFirst: append[0].revision, appendCount: append.length, prevHash, hash };
      const wanted = canon({ ...ids, ...place, at, actor, causationId, schemaVersion: version });
      if (canon(told) !== wanted || append[i].revision !== revision)
        faults.push(`${stream}@${revision}: ${canon(told)} instead of ${wanted}`);
      prevHash = hash;
      revision += 1;
    }
  }
  return revision === events.length ? faults : [...faults, 'events outside of any append'];
}
