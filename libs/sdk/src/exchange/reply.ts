import type { Id } from '@cairn/kernel';

/** A reply that nobody has settled yet; its text is made once and sent as often as it takes. */
export interface Reply {
  readonly id: string;
  readonly attemptId: Id;
  /** The CloudEvent as JSON. */
  readonly text: string;
  /** Its durable subject, where the task named one. */
  readonly replyTo?: string;
}

/** A reply whose frame was answered without it is sent again after this time. Its id is the same, so twice does no harm. */
export const RESEND_MS = 1_000;
