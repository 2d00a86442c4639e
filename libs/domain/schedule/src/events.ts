import type { BundleEvent } from './bundles/events.js';
import type { InboxEvent } from './inbox/events.js';
import type { ReceiptEvent } from './receipts/events.js';
import type { WorkflowEvent } from './workflows/events.js';

/** Everything that scheduling writes so far: one union per kind of stream. */
export type ScheduleEvent = ReceiptEvent | InboxEvent | WorkflowEvent | BundleEvent;
