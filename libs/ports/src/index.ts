export {
  APPEND_BYTES_MAX,
  APPEND_EVENTS_MAX,
  EVENT_BYTES_MAX,
  StoreFault,
  type AppendResult,
  type EventStore,
  type Position,
  type Tail,
  type TailedEvent,
  type TailReader,
} from './event-store.js';
export {
  ASK_DEADLINE_MS,
  BusFault,
  done,
  MESSAGE_BYTES_MAX,
  RANKS_MAX,
  type Bound,
  type Bus,
  type ConsumerSpec,
  type Handle,
  type IncomingMessage,
  type OutgoingMessage,
  type Settlement,
} from './bus.js';
export { ARTIFACT_BYTES_MAX, ArtifactFault, type Artifacts, type NamedArtifacts } from './artifacts.js';
export type { CallbackClaim, CallbackTokens } from './callback-tokens.js';
export { checkAppend } from './check-append.js';
export { announcedBy, FIRST_BRANCH, readBranches } from './read-branches.js';
export { isFault, type Fault } from './faults.js';
export type { Clock, Randomness, Timer } from './clock.js';
export type { Principals } from './principals.js';
export type { Ids } from './ids.js';
export type { Line, LineMessage, Listening } from './line.js';
export type { Labels, Metrics } from './metrics.js';
