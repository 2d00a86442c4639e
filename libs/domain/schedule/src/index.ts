export { eventSchemas } from './codec.js';
export type { ScheduleEvent } from './events.js';
export {
  outcomes,
  type DataRef,
  type EventReceived,
  type EventCallback,
  type EventControl,
  type EventTarget,
  type NearMissLine,
  type Outcome,
  type Problem,
  type ReceiptEvent,
  type ReceiptLine,
  type ReceiptRun,
  type ReceiptSettled,
} from './receipts/events.js';
export {
  evolveReceipt,
  isSettled,
  NEAR_MISSES_MAX,
  receiptView,
  type ReceiptState,
  type ReceiptView,
  type RecordedReceiptEvent,
} from './receipts/evolve.js';
export { bodyDigestOf, keyOf } from './receipts/identity.js';
export type { EventKept, InboxEvent } from './inbox/events.js';
export { emptyInbox, evolveInbox, KEPT_MAX, type InboxState } from './inbox/evolve.js';
export { withinLookBack } from './inbox/look-back.js';
export type { DefinitionApplied, WorkflowEvent } from './workflows/events.js';
export { evolveWorkflow, noVersions, type AppliedVersion, type WorkflowState } from './workflows/evolve.js';
export type { BundleEvent, BundleImported } from './bundles/events.js';
export { evolveImport, noBundle, type ImportState } from './bundles/evolve.js';
