export { canon, JSON_DEPTH_MAX, type Json, type JsonObject } from './canonical.js';
export { prefixedSha256, sha256Hex, sha256HexOfBytes } from './digest.js';
export { crockford, idOf, inboxHash, isId, PARTITIONS, partitionOf, withoutVersion, type Id, type IdKind } from './ids.js';
export {
  EVENT_TYPE_MAX,
  EXTERNAL_ID_MAX,
  isBranch,
  isEventType,
  isExternalId,
  isKey,
  isName,
  isNamespace,
  isPlainText,
  KEY_MAX,
} from './names.js';
export { after, CLOCK_SKEW_MS, epochMsOf, instantOf, parseRfc3339, type EpochMs, type Instant } from './instants.js';
export { roles, type Principal, type Role } from './principal.js';
export { spanText } from './span.js';
export { accepted, nothing, rejected, type Because, type Decider, type Decision, type FieldError, type Rejection } from './decider.js';
export { invariant, InvariantBroken, unreachable } from './invariant.js';
export {
  categoryOf,
  chainHash,
  eventFromBody,
  idOfStream,
  sealAppend,
  type AppendContext,
  type DomainEvent,
  type EventMetadata,
  type ExpectedRevision,
  type Revision,
  type StoredEvent,
  type StreamName,
} from './envelope.js';
export {
  bundleStream,
  inboxStream,
  parseRunStream,
  policyStream,
  receiptStream,
  reviewStream,
  runStream,
  workflowStream,
} from './streams.js';
export { PersistentMap } from './persistent-map.js';
