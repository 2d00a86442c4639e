import type { Id, Instant } from '@cairn/kernel';

/** The answer to `POST /v1/callbacks/{token}`, the same however often the link is used. */
export interface CallbackAccepted {
  readonly accepted: true;
  readonly receiptId: Id;
}

/** The answer to `GET /v1/callbacks/{token}`: what the link is for. */
export interface CallbackView {
  readonly callback: string;
  readonly step: string;
  readonly workflow?: string;
  readonly purpose?: string;
  /** `early`: the run has not come so far, and what is sent is kept. */
  readonly state: 'open' | 'early' | 'used';
  /** Null: no deadline, or it is not known yet. */
  readonly until?: Instant | null;
  readonly method?: 'POST';
  readonly says: string;
}
