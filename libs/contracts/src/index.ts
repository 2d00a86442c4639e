export { kebab, namespaceOf, parseInboundSubject, subjects, type FactContext, type InboundSubject } from './subjects.js';
export { busStreams, type BusStreamSpec } from './bus-streams.js';
export { consumers, executionRun, retryPolicyOnStepFailed, schedulingCommands, schedulingIntake, schedulingOnRunFacts } from './consumers.js';
export type {
  CloudEvent,
  CommandAnswer,
  CommandMessage,
  NearMiss,
  Receipt,
  ReceiptOutcome,
  RejectionBody,
  RunFact,
} from './messages.js';
export {
  BEAT_MS,
  BEATS_MISSED_MAX,
  FAILURE_DETAILS_BYTES_MAX,
  FAILURE_MESSAGE_MAX,
  FRAME_BYTES_MAX,
  FRAME_HOLD_MS,
  OUTPUT_BYTES_MAX,
  type ExchangeRequest,
  type ExchangeResponse,
  type Lease,
  type ReplyData,
  type ReplyFailure,
  type TaskData,
  type WorkDesk,
} from './exchange.js';
