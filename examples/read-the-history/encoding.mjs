// docs/reference/history.md, "Encoding", and "An event and its append".
import { createHash } from 'node:crypto';

/** RFC 8785: members in the order of their UTF-16 code units, texts and numbers as ECMAScript writes them. */
export function canon(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canon)}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canon(value[name])}`)}}`;
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
export const digestOf = (value) => sha256(canon(value));

/** UUIDv5 of canon([kind, …]) in the one name space, as 26 Crockford digits. */
export function id(...parts) {
  const uuid = createHash('sha1')
    .update(Buffer.from('6f1d3c52a9e84b5c9d07c41b5e2f8a63', 'hex'))
    .update(canon(parts))
    .digest()
    .subarray(0, 16);
  uuid[6] = (uuid[6] & 0x0f) | 0x50;
  uuid[8] = (uuid[8] & 0x3f) | 0x80;
  return crockford(uuid.toString('hex'));
}

/** The 128 bits of a UUID, with or without dashes, as an id. */
export function crockford(uuid) {
  const bits = BigInt(`0x${uuid.replaceAll('-', '')}`);
  return Array.from({ length: 26 }, (_, i) => '0123456789abcdefghjkmnpqrstvwxyz'[Number((bits >> BigInt(5 * (25 - i))) & 31n)]).join('');
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

/** Everything that the ids, digests and the chain of a whole stream break; empty for a good one. */
export function faultsOfStream(events) {
  const faults = [];
  let prevHash = '';
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
