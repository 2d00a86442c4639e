export { conflicts, receiveEvent, settleReceipt, type ReceiptRejection } from './receipts/decide.js';
export { inboxPlace, KEEP_DEFAULT_MS, keepEvent, signalType } from './inbox/decide.js';
export { applyDefinition, type WorkflowRejection } from './workflows/decide.js';
