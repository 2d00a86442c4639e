export { conflicts, receiveEvent, refused, settleReceipt, type ReceiptRejection } from './receipts/decide.js';
export { KEEP_DEFAULT_MS, keepEvent } from './inbox/decide.js';
export { applyDefinition, type WorkflowRejection } from './workflows/decide.js';
export { importBundle, type BundleRejection } from './bundles/decide.js';
